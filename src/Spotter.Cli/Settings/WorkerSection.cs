using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Vision;
using Spotter.Worker;
using Spotter.Worker.Machines;

namespace Spotter.Cli.Settings;

/// <summary>What a worker runs on.</summary>
internal enum WorkerMachine
{
    /// <summary>Something that says nothing.</summary>
    Any,

    /// <summary>An instance of Amazon's EC2, which says when it is to be taken away.</summary>
    Ec2,

    /// <summary>A pod of Kubernetes, in which a worker that ends is started again.</summary>
    Kubernetes,
}

/// <summary>What workers are told, and the secret that they share with the gateway: never a flag, since those can be seen by everyone.</summary>
internal static class WorkerSection
{
    private const long BytesPerMiB = 1 << 20;
    private const int LongestMachineName = 40;

    private static readonly SettingValues<TimeSpan> Seconds = SettingValues.Seconds(0.1, 3600);
    private static readonly WorkerSettings Defaults = new() { Name = "" };

    /// <summary>The gateway to join.</summary>
    public static readonly Setting<string?> Server = new(
        "worker.server", "The gateway to join, as http://host:8080.",
        SettingValues.HttpAddress, null)
    { Flag = "--server" };

    /// <summary>The worker's name.</summary>
    public static readonly Setting<string?> Name = new(
        "worker.name", "The worker's name, unlike that of any other. Default: made up from the machine's.", SettingValues.OptionalText("NAME"), null) { Flag = "--name" };

    private static readonly Setting<int> Lanes = new(
        "worker.lanes", "Jobs at a time. Default: the number of cores.", SettingValues.Whole(1, 256), Environment.ProcessorCount) { Flag = "--lanes" };

    private static readonly Setting<string?> TokenText = new(
        "worker.token", "The secret by which the gateway knows its workers, 32 characters or more. Default: a new one at each start, for the gateway's own workers.",
        SettingValues.OptionalText("SECRET"), null) { IsSecret = true };

    private static readonly Setting<string?> TokenFile = new("worker.tokenFile", "File with that secret.", SettingValues.OptionalText("FILE"), null) { Flag = "--token-file" };

    private static readonly Setting<TimeSpan> Decode = new(
        "worker.decodeSeconds", "A picture that takes longer to decode has got its decoder stuck, and takes the worker with it.", Seconds, Defaults.DecodeTimeout);

    private static readonly Setting<TimeSpan> Job = new("worker.jobSeconds", "A job that runs longer is stopped; where native code can't be, its worker ends. It is tried once more.", Seconds, Defaults.JobTimeout);

    private static readonly Setting<bool> SandboxSetting = new(
        "worker.sandbox",
        "False to let workers and the inspection of models do all that the service's user can. Otherwise, on Linux, they can read programs and models, write to a scratch folder and "
            + "connect to the gateway, and nothing else.",
        SettingValues.YesNo, true)
    { Flag = "--no-sandbox", FlagText = "false" };

    private static readonly Setting<int?> MemoryMiB = new(
        "worker.memoryMiB", "MiB that pictures may take while a worker runs jobs, besides its models; a job that takes more is refused. Default: half of this machine's memory, or of the container's, divided by --max-workers.",
        SettingValues.Whole(16, 16 << 20).OrNone(), null);

    /// <summary>What models run on.</summary>
    public static readonly Setting<Device> Device = new(
        "worker.device",
        "What models run on; the processor where the ONNX Runtime in use or the machine has no such device, which the log says.",
        SettingValues.Choice<Device>(), Vision.Device.Cpu)
    { Flag = "--device" };

    private static readonly Setting<WorkerMachine> Machine = new(
        "worker.machine",
        "What the worker runs on. On 'ec2' it asks the instance's metadata service every 5 seconds whether Amazon takes the machine away, drains in time, and does not join from a warm pool. "
            + "On 'kubernetes' one that was let go waits up to two minutes for its pod to be ended, as it would be started again in the same pod.",
        SettingValues.Choice<WorkerMachine>(), WorkerMachine.Any)
    { Flag = "--machine" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Server, Name, Lanes, TokenText, TokenFile, Device, Machine, Decode, Job, MemoryMiB, SandboxSetting];

    /// <summary>Those that a gateway reads.</summary>
    public static IReadOnlyList<Setting> OfGateway { get; } = [TokenText, TokenFile, SandboxSetting];

    /// <summary>Those of a bridge, which joins a gateway as a worker does.</summary>
    public static IReadOnlyList<Setting> OfBridge { get; } = [Server, Name, TokenText, TokenFile];

    /// <summary>The variable that tells a worker the token.</summary>
    public static string TokenVariable => TokenText.Variable;

    /// <summary>The gateway to join and the token for it; what is missing is noted as a mistake.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="who">What joins, as in "worker".</param>
    /// <param name="given">The token, where it came another way; null for where it didn't.</param>
    public static (string Server, string Token) Gateway(SettingReader settings, string who, string? given = null)
    {
        var (server, token) = (settings.Get(Server), Token(settings) ?? given);
        if (server is null)
            settings.Mistake($"A {who} needs the address of its gateway; give it with --server URL.");
        if (token is null)
            settings.Mistake($"A {who} needs the gateway's worker token; give it with --token-file FILE or {TokenVariable}.");
        return (server ?? "", token ?? "");
    }

    /// <summary>A name unlike that of any other worker.</summary>
    /// <param name="ifNone">What it begins with where the machine's name has nothing that can be in one.</param>
    public static string NameOfMachine(string ifNone)
    {
        var name = new string([.. Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]);
        return $"{(name.Length == 0 ? ifNone : name[..Math.Min(name.Length, LongestMachineName)])}-{RandomSource.System.NextHex(3)}";
    }

    /// <summary>The token; null when none is given.</summary>
    public static string? Token(SettingReader settings) => settings.GetSecret(TokenText, TokenFile);

    /// <summary>True to confine what runs code on what strangers send.</summary>
    public static bool Sandbox(SettingReader settings) => settings.Get(SandboxSetting);

    /// <summary>True where a worker that ends by itself is started again in the same place.</summary>
    public static bool IsRestarted(SettingReader settings) => settings.Get(Machine) == WorkerMachine.Kubernetes;

    /// <summary>Where the machine says that it is to be taken away; null when it doesn't. The variable is the one of Amazon's own programs.</summary>
    public static Uri? Metadata(SettingReader settings)
    {
        const string Variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
        if (settings.Get(Machine) != WorkerMachine.Ec2)
            return null;
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text)
            return Ec2Metadata.Usual;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            return address;
        settings.Mistake($"{Variable} is '{text}'; write an address like {Ec2Metadata.Usual}, or leave it out.");
        return null;
    }

    /// <summary>What a gateway was told of its workers, as variables for them. Neither the token nor its file is among them.</summary>
    public static IReadOnlyDictionary<string, string> AsVariables(SettingReader settings)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Decode.Variable] = Decode.Values.Write(settings.Get(Decode)),
            [Job.Variable] = Job.Values.Write(settings.Get(Job)),
            [Device.Variable] = Device.Values.Write(settings.Get(Device)),
        };
        if (settings.Get(MemoryMiB) is { } memory)
            variables[MemoryMiB.Variable] = MemoryMiB.Values.Write(memory);
        return variables;
    }

    /// <summary>A worker's settings.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="name">The name to take if none is given.</param>
    public static WorkerSettings Read(SettingReader settings, string name) => new()
    {
        Name = settings.Get(Name) ?? name,
        Lanes = settings.Get(Lanes),
        DecodeTimeout = settings.Get(Decode),
        JobTimeout = settings.Get(Job),
        MemoryBytes = settings.Get(MemoryMiB) * BytesPerMiB,
    };
}
