using Spotter.Backends;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Gateway.Notices;

namespace Spotter.Cli.Serve;

/// <summary>What <c>serve</c> and <c>gateway</c> can be told.</summary>
internal sealed record ServeSettings
{
    /// <summary>The address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>See <see cref="GatewaySettings.AllowedHosts"/>.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The port to listen on; 0 for any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The data folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>See <see cref="BackendSettings.Kind"/>.</summary>
    public string Backend { get; init; } = "local";

    /// <summary>See <see cref="BackendSettings.Postgres"/>.</summary>
    public string? Postgres { get; init; }

    /// <summary>See <see cref="BackendSettings.PostgresSchema"/>.</summary>
    public string? PostgresSchema { get; init; }

    /// <summary>See <see cref="BackendSettings.Blobs"/>.</summary>
    public string? Blobs { get; init; }

    /// <summary>See <see cref="BackendSettings.S3Endpoint"/>.</summary>
    public string? S3Endpoint { get; init; }

    /// <summary>See <see cref="BackendSettings.S3Region"/>.</summary>
    public string? S3Region { get; init; }

    /// <summary>Models by name or file; empty for all that are found.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Fewest worker processes.</summary>
    public int MinWorkers { get; init; }

    /// <summary>Most worker processes; 0 when workers join from elsewhere.</summary>
    public int MaxWorkers { get; init; }

    /// <summary>Jobs that one worker runs at a time.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>The worker token; null to make one.</summary>
    public string? WorkerToken { get; init; }

    /// <summary>How long a worker without jobs is kept.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>When a job is tried again.</summary>
    public RetrySchedule Retries { get; init; } = new();

    /// <summary>How long things are held and kept.</summary>
    public LeaseSettings Leases { get; init; } = new();

    /// <summary>The file of the API keys, without which nobody gets in; null for the one in the data folder, if it is there.</summary>
    public string? KeysFile { get; init; }

    /// <summary>See <see cref="GatewaySettings.MaxQueued"/>.</summary>
    public int MaxQueued { get; init; } = 50_000;

    /// <summary>See <see cref="GatewaySettings.MaxQueueAge"/>.</summary>
    public TimeSpan MaxQueueAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>See <see cref="GatewaySettings.ClientRate"/>.</summary>
    public int ClientRate { get; init; } = 10;

    /// <summary>See <see cref="GatewaySettings.Reuse"/>.</summary>
    public bool Reuse { get; init; } = true;

    /// <summary>Most workers unless told otherwise: all cores of a small machine, four processes on a large one.</summary>
    public static int DefaultMaxWorkers => Math.Min(Environment.ProcessorCount, 4);

    /// <summary>Lanes unless told otherwise: together the workers fill the cores.</summary>
    public static int DefaultLanes(int maxWorkers) =>
        (int)Math.Ceiling(Environment.ProcessorCount / (double)Math.Max(1, maxWorkers));

    /// <summary>How notices are sent; the service's own secrets are read when it starts.</summary>
    public NoticeSettings Notices { get; init; } = new();

    /// <summary>Not the values: the worker token and passwords are among them.</summary>
    public override string ToString() => nameof(ServeSettings);

    /// <summary>The backend's part of the settings.</summary>
    public BackendSettings ForBackend() => new()
    {
        Kind = Backend,
        DataFolder = DataFolder,
        Postgres = Postgres,
        PostgresSchema = PostgresSchema,
        Blobs = Blobs,
        S3Endpoint = S3Endpoint,
        S3Region = S3Region,
    };

    /// <summary>The gateway's part of the settings.</summary>
    public GatewaySettings Gateway(IReadOnlyList<Core.Vision.ModelInfo> models, RandomSource random) => new()
    {
        Host = Host,
        AllowedHosts = AllowedHosts,
        Port = Port,
        Models = models,
        SamplesFolder = SpotterPaths.StarterModel is { } starter ? Path.Combine(Path.GetDirectoryName(starter)!, "samples") : null,
        MaxWorkers = MaxWorkers,
        LanesPerWorker = Lanes,
        KeysFile = KeysFile ?? Path.Combine(DataFolder, KeyFile.DefaultName),
        KeysRequired = KeysFile is not null,
        MaxQueued = MaxQueued,
        MaxQueueAge = MaxQueueAge,
        ClientRate = ClientRate,
        Reuse = Reuse,
        ClientBurst = Math.Max(1, 5 * ClientRate),
        WorkerToken = WorkerToken ?? random.NextHex(32),
        Leases = Leases,
        Notices = Notices,
    };
}
