using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Postgres;
using Spotter.Backends.Redis;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;
using StackExchange.Redis;

namespace Spotter.Tests.Jobs;

/// <summary>Tests that need the programs of a PostgreSQL server and of a Redis server.</summary>
public sealed class NeedsRedisAttribute : NeedsAttribute
{
    public override string? Missing => PostgresCluster.Missing ?? RedisInstance.Missing;
}

/// <summary>A Redis server and a schema for the tests of one class; each test begins with nothing in them.</summary>
public sealed class RedisServer : IDisposable
{
    private readonly Lazy<RedisInstance> instance = new(() => RedisInstance.Start());

    public RedisInstance Instance => instance.Value;

    public string Schema { get; } = "r" + RandomSource.System.NextHex(8);

    public void Dispose()
    {
        if (instance.IsValueCreated)
            instance.Value.Dispose();
    }
}

/// <summary>A backend of the kind <c>redis</c>, with nothing in it.</summary>
internal sealed class RedisFixture(PostgresServer server, RedisServer redis) : IAsyncDisposable
{
    private readonly PostgresFixture rows = new(server) { Schema = redis.Schema };
    private readonly TemporaryFolder folder = new();
    private readonly List<Backend> open = [];
    private readonly List<RedisDelivery> deliveries = [];
    private ConnectionMultiplexer? connection;

    /// <summary>The deliveries of the backends, in the order in which these were opened.</summary>
    public IReadOnlyList<RedisDelivery> Deliveries => deliveries;

    public PostgresFixture Rows => rows;

    /// <summary>Opens it; a second time beside the first is what another gateway does.</summary>
    public Backend Open(TimeProvider clock, RetrySchedule? retries = null, RandomSource? random = null)
    {
        if (connection is null)
            Run("FLUSHALL");
        var backend = PostgresBackend.Open(
            rows.Settings, new BlobPlace(new FolderBlobStore(folder.File("blobs"), RandomSource.System), "The folder"),
            retries ?? new RetrySchedule(), random ?? RandomSource.Seeded(1), clock, (storeId, jobs, time) =>
            {
                deliveries.Add(RedisBackend.Open(RedisAddress.Parse(redis.Instance.Url), storeId, jobs, time));
                return deliveries[^1];
            });
        open.Add(backend);
        return backend;
    }

    /// <summary>A command on the server, as somebody else sends it.</summary>
    public RedisResult Run(string command, params object[] arguments)
    {
        if (connection is null)
        {
            var address = RedisAddress.Parse(redis.Instance.Url);
            address.AllowAdmin = true;
#pragma warning disable RS0030 // Not the service's.
            connection = ConnectionMultiplexer.Connect(address);
#pragma warning restore RS0030
        }
        return connection.GetDatabase().Execute(command, arguments);
    }

    /// <summary>The number that KEDA reads.</summary>
    public long Listed(string queue) => (long)Run("LLEN", $"__engine_pending_list_{queue}__");

    /// <summary>What the gateways do by themselves before long, now and to its end.</summary>
    public async Task TendAsync()
    {
        foreach (var delivery in deliveries)
        {
            while (await delivery.Tender.TendAsync(default) == TimeSpan.Zero || delivery.Tender.IsBusy)
                continue;
        }
    }

    public async ValueTask CloseAsync()
    {
        foreach (var backend in open)
            await backend.DisposeAsync();
        open.Clear();
        deliveries.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (connection is not null)
            await connection.DisposeAsync();
        await rows.CloseAsync();
        // Quicker than to make another schema for the next test.
        await rows.RunAsync("DELETE FROM jobs; DELETE FROM blobs; DELETE FROM tallies; DELETE FROM outbox; DELETE FROM inbox; DELETE FROM inbox_holds");
        folder.Dispose();
    }
}

[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisJobStoreTests(PostgresServer server, RedisServer redis) : JobStoreConformance, IClassFixture<RedisServer>
{
    private readonly RedisFixture fixture = new(server, redis);

    protected override Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult(fixture.Open(clock, retries, random).Jobs);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisJobServiceTests(PostgresServer server, RedisServer redis) : JobServiceConformance, IClassFixture<RedisServer>
{
    private readonly RedisFixture fixture = new(server, redis);

    protected override int CheckEvery => 20;

    protected override Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Blobs));
    }

    protected override async Task CloseAsync() => await fixture.CloseAsync();

    protected override async Task DeleteAsync() => await fixture.DisposeAsync();
}

[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisOutboxTests(PostgresServer server, RedisServer redis) : OutboxConformance, IClassFixture<RedisServer>
{
    private readonly RedisFixture fixture = new(server, redis);

    protected override Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Outbox));
    }

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsRedis]
[Collection(PostgresServer.Name)]
public sealed class RedisInboxTests(PostgresServer server, RedisServer redis) : InboxConformance, IClassFixture<RedisServer>
{
    private readonly RedisFixture fixture = new(server, redis);

    protected override Task<IInbox> OpenAsync(TimeProvider clock) =>
        Task.FromResult(fixture.Open(clock, new RetrySchedule(), RandomSource.Seeded(1)).Inbox);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
