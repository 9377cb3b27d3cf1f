using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>Tests that need the programs of a PostgreSQL server.</summary>
public sealed class NeedsPostgresAttribute : NeedsAttribute
{
    public override string? Missing => PostgresCluster.Missing;
}

/// <summary>One server for all tests; each test has a schema of its own in it.</summary>
public sealed class PostgresServer : IDisposable
{
    public const string Name = "postgres";

    private readonly Lazy<PostgresCluster> cluster = new(PostgresCluster.Start);

    public PostgresCluster Cluster => cluster.Value;

    public void Dispose()
    {
        if (cluster.IsValueCreated)
            cluster.Value.Dispose();
    }
}

/// <summary>The classes that share the server.</summary>
[CollectionDefinition(PostgresServer.Name)]
public sealed class PostgresServerTests : ICollectionFixture<PostgresServer>;

/// <summary>A backend of the kind <c>postgres</c> in a schema of its own.</summary>
internal sealed class PostgresFixture(PostgresServer server) : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<Backend> open = [];

    public string Schema { get; init; } = "t" + RandomSource.System.NextHex(8);

    public PostgresSettings Settings => new() { Address = server.Cluster.Url, Schema = Schema, ServerTime = false };

    /// <summary>Opens it; a second time beside the first is what another gateway does.</summary>
    public Backend Open(TimeProvider clock, RetrySchedule? retries = null, RandomSource? random = null, bool serverTime = false)
    {
        var backend = PostgresBackend.Open(
            Settings with { ServerTime = serverTime }, new BlobPlace(new FolderBlobStore(folder.File("blobs"), RandomSource.System), "The folder"), retries ?? new RetrySchedule(), random ?? RandomSource.Seeded(1), clock);
        open.Add(backend);
        return backend;
    }

    public async ValueTask CloseAsync()
    {
        foreach (var backend in open)
            await backend.DisposeAsync();
        open.Clear();
    }

    /// <summary>A connection of its own, whose names are looked up in the schema.</summary>
    public async Task<Npgsql.NpgsqlConnection> ConnectAsync()
    {
        var connection = new Npgsql.NpgsqlConnection($"{PostgresAddress.Parse(server.Cluster.Url).ConnectionString};Pooling=false;Search Path={Schema}");
        await connection.OpenAsync();
        return connection;
    }

    public async Task RunAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new Npgsql.NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await RunAsync($"DROP SCHEMA IF EXISTS {Schema} CASCADE");
        folder.Dispose();
    }
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresJobStoreTests(PostgresServer server) : JobStoreConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult(fixture.Open(clock, retries, random).Jobs);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresJobServiceTests(PostgresServer server) : JobServiceConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override int CheckEvery => 20;

    protected override Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Blobs));
    }

    protected override async Task CloseAsync() => await fixture.CloseAsync();

    protected override async Task DeleteAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresOutboxTests(PostgresServer server) : OutboxConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Outbox));
    }

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresInboxTests(PostgresServer server) : InboxConformance
{
    private readonly PostgresFixture fixture = new(server);

    protected override Task<IInbox> OpenAsync(TimeProvider clock) =>
        Task.FromResult(fixture.Open(clock, new RetrySchedule(), RandomSource.Seeded(1)).Inbox);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
