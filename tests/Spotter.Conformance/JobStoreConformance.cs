using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>
/// What every <see cref="IJobStore"/> does. A new adapter adds a subclass, which says with <see cref="LacksAttribute"/>
/// what its store can't do, and nothing else.
/// </summary>
public abstract partial class JobStoreConformance : IAsyncLifetime
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    /// <summary>In real time: what should come at once has not come at all when this is over.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly JobPriority[] Levels = [JobPriority.High, JobPriority.Normal, JobPriority.Low];
    private static readonly RetrySchedule Retries = new();

    private int models;

    protected ManualClock Clock { get; } = new();

    protected IJobStore Store { get; private set; } = null!;

    /// <summary>A store that may lose a delivery finds it within this time, looking when it says; zero for one that loses none.</summary>
    protected virtual TimeSpan FindsLostWithin => TimeSpan.Zero;

    async Task IAsyncLifetime.InitializeAsync() => Store = await OpenAsync(Clock, Retries, RandomSource.Seeded(1));

    Task IAsyncLifetime.DisposeAsync() => CloseAsync();

    /// <summary>Opens an empty store.</summary>
    protected abstract Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random);

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    private async Task<JobId> AddAsync(NewJob job) => (await Store.AddAsync([job], default)).ShouldHaveSingleItem().Job.Id;

    /// <summary>A job in a queue of its own, so that whoever takes from there gets this one.</summary>
    private Task<JobId> AddAsync(string engine = SampleJobs.Detect, string? key = null, bool isInternal = false) =>
        AddAsync(SampleJobs.New(engine, key, isInternal, model: $"m{models++}"));

    private async Task<Job> FindAsync(JobId id) => (await Store.FindAsync(id, default)).ShouldNotBeNull();

    /// <summary>One call of the store for one job.</summary>
    private async Task<StartedJob?> TakeAsync(params string[] queues) => (await TryTakeAsync(["w"], queues)).Jobs.SingleOrDefault();

    private Task<TakenJobs> TryTakeAsync(IReadOnlyList<string> workers, params string[] queues) =>
        Store.TakeAsync(new TakeRequest(queues, Levels, workers, Duration), default);

    /// <summary>One call for several takes from the same queue.</summary>
    private async Task<List<StartedJob>> TakeInTurnAsync(params (IReadOnlyList<JobPriority> Levels, IReadOnlyList<string> Workers)[] turns)
    {
        var requests = turns.Select(turn => new TakeRequest([Queue], turn.Levels, turn.Workers, Duration)).ToList();
        return [.. (await Store.TakeInTurnAsync(requests, default)).SelectMany(taken => taken.Jobs)];
    }

    /// <summary>One call; where a delivery may have been lost, more of them at the times that the store says.</summary>
    private async Task<TakenJobs> TakeSomeAsync(IReadOnlyList<string> workers, params string[] queues)
    {
        var last = Clock.GetUtcNow() + FindsLostWithin;
        var taken = await TryTakeAsync(workers, queues);
        while (taken.NextDue is { } due && due <= last)
        {
            Clock.Advance(due - Clock.GetUtcNow());
            var more = await TryTakeAsync([.. workers.Skip(taken.Jobs.Count)], queues);
            taken = more with { Jobs = [.. taken.Jobs, .. more.Jobs] };
        }
        return taken;
    }

    /// <summary>Takes this job, which has to be the first in its queue.</summary>
    private async Task<StartedJob> StartAsync(JobId id, string worker = "w")
    {
        var started = (await TakeSomeAsync([worker], (await FindAsync(id)).Queue)).Jobs.ShouldHaveSingleItem();
        started.Job.Id.ShouldBe(id);
        return started;
    }

    private async Task<Lease> LeaseAsync(JobId id, string worker = "w") => (await StartAsync(id, worker)).Lease;

    private async Task<EndedAttempt> FinishAsync(Lease lease, JobOutcome outcome) =>
        (await Store.FinishAsync(lease, outcome, default)).ShouldNotBeNull();

    private async Task<bool> ExtendAsync(Lease lease) => (await Store.ExtendAsync([lease], Duration, Duration, default)).ShouldHaveSingleItem();

    /// <summary>A job in this state; time may have passed for it to get there.</summary>
    private async Task<JobId> BringToAsync(JobState state, NewJob? job = null)
    {
        var id = await (job is null ? AddAsync() : AddAsync(job));
        switch (state)
        {
            case JobState.Running:
                await LeaseAsync(id);
                break;
            case JobState.Succeeded:
                await FinishAsync(await LeaseAsync(id), SampleJobs.Done(BlobKey.NewOutput(RandomSource.System, Clock)));
                break;
            case JobState.Failed:
                await FinishAsync(await LeaseAsync(id), SampleJobs.Reject());
                break;
            case JobState.Dead:
                while ((await FinishAsync(await LeaseAsync(id), SampleJobs.Retry())).RetryAfter is { } delay)
                    Clock.Advance(delay);
                break;
            case JobState.Cancelled:
                await Store.CancelAsync(id, null, default);
                break;
        }
        return id;
    }

    private async Task<List<JobId>> IdsAsync(JobFilter filter) => [.. (await Store.ListAsync(filter, default)).Select(j => j.Id)];

    private async Task<JobCounts> CountsAsync() => (await Store.CountAsync(default)).Jobs;

    private async Task<Backlog> BacklogAsync(string queue, JobPriority priority = JobPriority.Normal) =>
        (await Store.CountAsync(default)).Backlogs.SingleOrDefault(b => b.Queue == queue && b.Priority == priority)
        ?? new Backlog(queue, priority, 0, 0);

    private async Task<List<long?>> PositionsAsync(params JobId[] ids)
    {
        var counts = await Store.CountAsync(default);
        var positions = new List<long?>();
        foreach (var id in ids)
            positions.Add(Estimator.PositionOf(await FindAsync(id), counts));
        return positions;
    }

    /// <summary>Stores keep milliseconds.</summary>
    private static void ShouldBeAt(DateTimeOffset? actual, DateTimeOffset expected) =>
        actual.ShouldNotBeNull().ShouldBe(expected, TimeSpan.FromMilliseconds(1));
}
