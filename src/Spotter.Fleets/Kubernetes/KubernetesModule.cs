using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Kubernetes;

/// <summary>Workers as the pods of a Deployment, which exists and whose pods start a worker under the pod's name.</summary>
internal sealed class KubernetesModule : ILauncherModule
{
    // As the names of Kubernetes' objects are (RFC 1123): none of these can lead a path astray.
    private static readonly SettingValues<string?> ObjectName = new(
        "a name of small letters, digits, - and .", "NAME", text => (text.Length is > 0 and <= 253 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.') && text[0] != '.', text));

    private static readonly Setting<string?> Deployment = new("deployment", "With the launcher 'kubernetes': the Deployment whose pods are the workers.", ObjectName, null);

    private static readonly Setting<string?> Namespace = new(
        "namespace", "With the launcher 'kubernetes': the Deployment's namespace. Default: the one that Spotter's pod is in, or that of the kubeconfig file's context.", ObjectName, null);

    private static readonly Setting<string?> File = new(
        "kubeconfig", "With the launcher 'kubernetes': a kubeconfig file, for a service outside the cluster. Default: the service account of Spotter's pod, or else the file that kubectl would take.",
        SettingValues.OptionalText("FILE"), null);

    private static readonly Setting<string?> Context = new("context", "With the launcher 'kubernetes': the context of the kubeconfig file. Default: its current one.", SettingValues.OptionalText("NAME"), null);

    public string Name => "kubernetes";

    public IReadOnlyList<Setting> Settings { get; } = [Deployment, Namespace, File, Context];

    public void Check(SettingReader settings)
    {
        if (settings.Get(Deployment) is null)
            settings.Mistake("A pool with the launcher 'kubernetes' needs the Deployment of its workers; name it with deployment=NAME.");
        _ = settings.Get(Namespace);
    }

    public IWorkerLauncher Create(LauncherContext context)
    {
        var settings = context.Settings;
        var access = AccessOf(settings, Environment.GetEnvironmentVariable, context.Time);
        return new KubernetesLauncher(
            new WorkerDeployment(new ClusterClient(access), settings.Get(Namespace) ?? access.Namespace, settings.Get(Deployment)!), context.Time, context.Loggers.CreateLogger<KubernetesLauncher>());
    }

    /// <summary>How the cluster is reached.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: nothing says how.</exception>
    internal static ClusterAccess AccessOf(SettingReader settings, Func<string, string?> variable, TimeProvider time)
    {
        var (file, context) = (settings.Get(File), settings.Get(Context));
        if (file is null && context is null && ClusterAccess.OfPod(variable) is { } pod)
            return pod;
        return KubeConfig.Read(
            file ?? KubeConfig.UsualFile(variable) ?? throw new SpotterException(
                ErrorCodes.InvalidSettings, "Nothing says how Kubernetes is reached: this is no pod, and there is no kubeconfig file; name one with kubeconfig=FILE."),
            context, time);
    }
}
