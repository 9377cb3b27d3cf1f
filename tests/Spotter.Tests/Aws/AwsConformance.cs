using Amazon.Runtime;
using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Backends.Local;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Fleets;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Aws;

/// <summary>Tests that need <c>moto_server</c>.</summary>
public sealed class NeedsMotoAttribute : NeedsAttribute
{
    public override string? Missing => MotoServer.Missing;
}

/// <summary>One server for all tests; each test has a table and queues of its own in it.</summary>
public sealed class Moto : IAsyncLifetime
{
    public const string Name = "moto";

    public MotoServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is null)
            Server = await MotoServer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }
}

/// <summary>The classes that share the server.</summary>
[CollectionDefinition(Moto.Name)]
public sealed class MotoTests : ICollectionFixture<Moto>;

/// <summary>A backend of the kind <c>aws</c> with a table of its own.</summary>
internal sealed class AwsFixture(Moto moto) : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<Backend> open = [];

    public string Name { get; } = "t" + RandomSource.System.NextHex(8);

    public AwsSettings Settings => new()
    {
        Table = Name, Queues = Name, Endpoint = moto.Server.Address, Region = "eu-central-1", Creates = true,
        Credentials = new BasicAWSCredentials("testing", "testing"),
    };

    /// <summary>Opens it; a second time beside the first is what another gateway does.</summary>
    public async Task<Backend> OpenAsync(TimeProvider clock, RetrySchedule? retries = null, RandomSource? random = null, bool creates = true)
    {
        var backend = await AwsBackend.OpenAsync(
            Settings with { Creates = creates }, new BlobPlace(new FolderBlobStore(folder.File("blobs"), RandomSource.System), "The folder"), retries ?? new RetrySchedule(), random ?? RandomSource.Seeded(1), clock);
        open.Add(backend);
        return backend;
    }

    public async ValueTask CloseAsync()
    {
        foreach (var backend in open)
            await backend.DisposeAsync();
        open.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        folder.Dispose();
    }
}

[NeedsMoto]
[Collection(Moto.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
public sealed class AwsJobStoreTests(Moto moto) : JobStoreConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override async Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        (await fixture.OpenAsync(clock, retries, random)).Jobs;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsMoto]
[Collection(Moto.Name)]
[Lacks(Ability.Order, "SQS delivers messages in any order, and nobody counts places.")]
public sealed class AwsJobServiceTests(Moto moto) : JobServiceConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override int CheckEvery => 20;

    protected override async Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = await fixture.OpenAsync(clock, retries, random);
        return (backend.Jobs, backend.Blobs);
    }

    protected override async Task CloseAsync() => await fixture.CloseAsync();

    protected override async Task DeleteAsync() => await fixture.DisposeAsync();
}

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsOutboxTests(Moto moto) : OutboxConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override async Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = await fixture.OpenAsync(clock, retries, random);
        return (backend.Jobs, backend.Outbox);
    }

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsInboxTests(Moto moto) : InboxConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override async Task<IInbox> OpenAsync(TimeProvider clock) => (await fixture.OpenAsync(clock)).Inbox;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsControllerLeaseTests(Moto moto) : ControllerLeaseConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override async Task<IControllerLease> OpenAsync() => (await fixture.OpenAsync(Clock)).Controllers;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsModelRegistryTests(Moto moto) : ModelRegistryConformance
{
    private readonly AwsFixture fixture = new(moto);

    protected override async Task<IModelRegistry> OpenAsync() => (await fixture.OpenAsync(Clock)).Models;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
