using Spotter.Conformance;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

public sealed class InMemoryJobStoreTests : JobStoreConformance
{
    protected override Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult<IJobStore>(new InMemoryJobStore(retries, random, clock));

    protected override Task CloseAsync() => Task.CompletedTask;
}

[Lacks(Ability.Order, "Messages come in any order, and nobody counts places.")]
[Lacks(Ability.Priorities, "The message service knows no priorities.")]
public sealed class AtLeastOnceJobStoreTests : JobStoreConformance
{
    protected override TimeSpan FindsLostWithin => AtLeastOnceJobStore.Period * 2;

    protected override Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult<IJobStore>(new AtLeastOnceJobStore(new Table(), new UnreliableMessages(random, clock), retries, random, clock));

    protected override Task CloseAsync() => Task.CompletedTask;
}

public sealed class InMemoryJobServiceTests : JobServiceConformance
{
    private readonly InMemoryBlobStore blobs = new();
    private IJobStore? jobs;

    protected override Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        Task.FromResult((jobs ??= new InMemoryJobStore(retries, random, clock), (IBlobStore)blobs));

    protected override Task CloseAsync() => Task.CompletedTask;

    protected override Task DeleteAsync() => Task.CompletedTask;
}

/// <summary>The table and the messages stay when the service is closed, as they do in a cloud.</summary>
public sealed class AtLeastOnceJobServiceTests : JobServiceConformance
{
    private readonly InMemoryBlobStore blobs = new();
    private readonly Table table = new();
    private UnreliableMessages? messages;

    protected override TimeSpan FindsLostWithin => AtLeastOnceJobStore.Period * 2;

    protected override Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        messages ??= new UnreliableMessages(random, clock);
        return Task.FromResult<(IJobStore, IBlobStore)>((new AtLeastOnceJobStore(table, messages, retries, random, clock), blobs));
    }

    protected override Task CloseAsync() => Task.CompletedTask;

    protected override Task DeleteAsync()
    {
        foreach (var sent in messages!.Sent.GroupBy(s => s.Job))
        {
            var times = sent.Select(s => s.At).Order().ToList();
            times.Zip(times.Skip(1), (one, next) => next - one).ShouldAllBe(gap => gap >= AtLeastOnceJobStore.Period);
        }
        return Task.CompletedTask;
    }
}

public sealed class InMemoryOutboxTests : OutboxConformance
{
    protected override Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var outbox = new InMemoryOutbox(clock);
        return Task.FromResult<(IJobStore, IOutbox)>((new InMemoryJobStore(retries, random, clock, outbox), outbox));
    }

    protected override Task CloseAsync() => Task.CompletedTask;
}

public sealed class InMemoryBlobStoreTests : BlobStoreConformance
{
    protected override Task<IBlobStore> OpenAsync() => Task.FromResult<IBlobStore>(new InMemoryBlobStore());

    protected override Task CloseAsync() => Task.CompletedTask;
}
