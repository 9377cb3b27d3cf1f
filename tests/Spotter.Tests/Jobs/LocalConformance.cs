using Spotter.Backends;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>A backend of the kind <c>local</c> in a folder of its own.</summary>
internal sealed class LocalFixture : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private Backend? backend;

    public Backend Open(TimeProvider clock, RetrySchedule? retries = null, RandomSource? random = null) =>
        backend = BackendFactory.Open(
            GivenSettings.Reader(), folder.Path, retries ?? new RetrySchedule(), random ?? RandomSource.Seeded(1), clock);

    public async ValueTask CloseAsync()
    {
        if (backend is not null)
            await backend.DisposeAsync();
        backend = null;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        folder.Dispose();
    }
}

public sealed class SqliteJobStoreTests : JobStoreConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult(fixture.Open(clock, retries, random).Jobs);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public sealed class LocalJobServiceTests : JobServiceConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Blobs));
    }

    protected override async Task CloseAsync() => await fixture.CloseAsync();

    protected override async Task DeleteAsync() => await fixture.DisposeAsync();
}

public sealed class SqliteOutboxTests : OutboxConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = fixture.Open(clock, retries, random);
        return Task.FromResult((backend.Jobs, backend.Outbox));
    }

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public sealed class SqliteInboxTests : InboxConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<IInbox> OpenAsync(TimeProvider clock) =>
        Task.FromResult(fixture.Open(clock, new RetrySchedule(), RandomSource.Seeded(1)).Inbox);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
