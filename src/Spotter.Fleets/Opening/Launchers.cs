using Spotter.Fleets.Aws;
using Spotter.Fleets.Keda;
using Spotter.Fleets.Kubernetes;
using Spotter.Fleets.Processes;

namespace Spotter.Fleets.Opening;

/// <summary>The ways to start workers.</summary>
public static class Launchers
{
    /// <summary>All of them: the one place where they are registered. The first is the default.</summary>
    public static IReadOnlyList<ILauncherModule> BuiltIn { get; } = [new ProcessModule(), new AutoScalingModule(), new Ec2Module(), new KedaModule(), new KubernetesModule()];
}
