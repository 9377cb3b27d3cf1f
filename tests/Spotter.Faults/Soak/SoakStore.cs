namespace Spotter.Faults.Soak;

/// <summary>Where the jobs of a run are, and what can be done to that.</summary>
internal sealed class SoakStore : IAsyncDisposable
{
    public const string Sqlite = "SQLite";
    public const string Postgres = "PostgreSQL";
    public const string Moto = "moto";

    private readonly PostgresCluster? cluster;
    private readonly MotoServer? moto;

    private SoakStore(string name, PostgresCluster? cluster, MotoServer? moto) => (Name, this.cluster, this.moto) = (name, cluster, moto);

    public string Name { get; }

    /// <summary>True when it can be away while the gateway runs.</summary>
    public bool IsServer => cluster is not null || moto is not null;

    /// <summary>What a gateway is told of it.</summary>
    public IReadOnlyList<string> Arguments { get; private init; } = [];

    /// <summary>The settings that go with it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; private init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public static async Task<SoakStore> StartAsync(string name, string folder)
    {
        if (name == Postgres)
        {
            var server = PostgresCluster.Start();
            return new SoakStore(name, server, null)
            {
                Arguments = ["--backend", "postgres", "--blobs", $"folder:{Directory.CreateDirectory(Path.Combine(folder, "pictures")).FullName}"],
                Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__POSTGRES__URL"] = server.Url },
            };
        }
        if (name == Moto)
        {
            var server = await MotoServer.StartAsync();
            await server.MakeBucketAsync("pictures");
            var address = server.Address.ToString();
            return new SoakStore(name, null, server)
            {
                Arguments = ["--backend", "aws", "--aws-endpoint", address, "--blobs", "s3://pictures", "--s3-endpoint", address, "--aws-create"],
                Environment = new Dictionary<string, string>(MotoServer.Credentials, StringComparer.Ordinal) { ["AWS_REGION"] = "eu-central-1" },
            };
        }
        return new SoakStore(name, null, null);
    }

    /// <summary>Has it away for a while: PostgreSQL as after a crash, and moto, which has all in its memory, frozen.</summary>
    public async Task LeaveAsync(TimeSpan length)
    {
        cluster?.Stop("immediate");
        if (moto is not null)
            Processes.Signal(moto.Id, Processes.Stop);
        await Task.Delay(length, TimeProvider.System);
        cluster?.StartAgain();
        if (moto is not null)
            Processes.Signal(moto.Id, Processes.Continue);
    }

    public async ValueTask DisposeAsync()
    {
        cluster?.Dispose();
        if (moto is not null)
            await moto.DisposeAsync();
    }
}
