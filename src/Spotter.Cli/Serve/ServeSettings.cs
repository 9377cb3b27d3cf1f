using Spotter.Backends;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Scaling;

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

    /// <summary>See <see cref="BackendSettings.AdoptBlobs"/>.</summary>
    public bool AdoptBlobs { get; init; }

    /// <summary>Models by name or file; empty for all that are found.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>How many worker processes there are and when, of all pools together; none of them when workers join from elsewhere.</summary>
    public ScaleSettings Scaling { get; init; } = new() { Max = 0 };

    /// <summary>The pools of worker processes; none when workers join from elsewhere.</summary>
    public IReadOnlyList<PoolSettings> Pools
    {
        get;
        init
        {
            field = value;
            Scaling = value.Count == 1 ? value[0].Scaling : value[0].Scaling with { Min = value.Sum(p => p.Scaling.Min), Max = value.Sum(p => p.Scaling.Max), Lanes = value.Max(p => p.Scaling.Lanes) };
        }
    } = [];

    /// <summary>The worker token; null to make one.</summary>
    public string? WorkerToken { get; init; }

    /// <summary>When a job is tried again.</summary>
    public RetrySchedule Retries { get; init; } = new();

    /// <summary>How long things are held and kept.</summary>
    public LeaseSettings Leases { get; init; } = new();

    /// <summary>The file of the API keys, without which nobody gets in; null for the one in the data folder, if it is there.</summary>
    public string? KeysFile { get; init; }

    /// <summary>See <see cref="JobSettings.MaxQueued"/>.</summary>
    public int MaxQueued { get; init; } = 50_000;

    /// <summary>See <see cref="JobSettings.MaxQueueAge"/>.</summary>
    public TimeSpan MaxQueueAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>See <see cref="GatewaySettings.ClientRate"/>.</summary>
    public int ClientRate { get; init; } = 10;

    /// <summary>See <see cref="JobSettings.Reuse"/>.</summary>
    public bool Reuse { get; init; } = true;

    /// <summary>How webhook deliveries are made; the service's own secrets are read when it starts.</summary>
    public WebhookSettings Webhooks { get; init; } = new();

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
        AdoptBlobs = AdoptBlobs,
    };

    /// <summary>The gateway's part of the settings.</summary>
    public GatewaySettings Gateway(IReadOnlyList<ModelInfo> models, RandomSource random) => new()
    {
        Host = Host,
        AllowedHosts = AllowedHosts,
        Port = Port,
        Models = models,
        SamplesFolder = SpotterPaths.StarterModel is { } starter ? Path.Combine(Path.GetDirectoryName(starter)!, "samples") : null,
        Jobs = new JobSettings
        {
            MaxWorkers = Scaling.Max,
            LanesPerWorker = Scaling.Lanes,
            MaxQueued = MaxQueued,
            MaxQueueAge = MaxQueueAge,
            Reuse = Reuse,
            Leases = Leases,
        },
        KeysFile = KeysFile ?? Path.Combine(DataFolder, KeyFile.DefaultName),
        KeysRequired = KeysFile is not null,
        ClientRate = ClientRate,
        ClientBurst = Math.Max(1, 5 * ClientRate),
        WorkerToken = WorkerToken ?? random.NextHex(32),
        Webhooks = Webhooks,
    };
}
