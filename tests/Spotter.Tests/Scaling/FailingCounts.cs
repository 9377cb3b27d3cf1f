using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Scaling;

/// <summary>A store whose counts can't be had for a while; everything else is the real one's.</summary>
internal sealed class FailingCounts(IJobStore store) : IJobStore
{
    public bool Fails { get; set; } = true;

    public int Asked { get; private set; }

    public Task<JobCounts> CountAsync(string? engine, CancellationToken cancel)
    {
        Asked++;
        return Fails ? throw new SpotterException(ErrorCodes.StoreUnavailable, "The store is away.") : store.CountAsync(engine, cancel);
    }

    public Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel) => store.AddAsync(jobs, cancel);

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => store.FindAsync(id, cancel);

    public Task<Job?> FindByKeyAsync(string idempotencyKey, CancellationToken cancel) => store.FindByKeyAsync(idempotencyKey, cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => store.ListAsync(filter, cancel);

    public Task<StartedJob?> StartAsync(Delivery delivery, string worker, TimeSpan hold, CancellationToken cancel) =>
        store.StartAsync(delivery, worker, hold, cancel);

    public Task<bool> ExtendAsync(Lease lease, TimeSpan hold, CancellationToken cancel) => store.ExtendAsync(lease, hold, cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) => store.FinishAsync(lease, outcome, cancel);

    public Task<Job?> FindCachedAsync(string tenant, string workKey, string modelVersion, CancellationToken cancel) =>
        store.FindCachedAsync(tenant, workKey, modelVersion, cancel);

    public Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel) => store.CancelAsync(id, by, cancel);

    public Task<IReadOnlyList<DueJob>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) => store.RedriveAsync(filter, by, cancel);

    public Task<int> ExpireAsync(int limit, CancellationToken cancel) => store.ExpireAsync(limit, cancel);

    public Task<IReadOnlyList<EndedAttempt>> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        store.ReleaseAsync(worker, error, spendAttempt, cancel);

    public Task<IReadOnlyList<EndedAttempt>> ReapAsync(int limit, CancellationToken cancel) => store.ReapAsync(limit, cancel);

    public Task<IReadOnlyList<DueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel) =>
        store.OverdueAsync(overdue, skip, limit, cancel);

    public Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel) => store.BacklogAsync(cancel);

    public Task<int?> PositionAsync(JobId id, CancellationToken cancel) => store.PositionAsync(id, cancel);

    public Task<IReadOnlyList<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        store.ExpireImagesAsync(finishedBefore, limit, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        store.PurgeAsync(finishedBefore, limit, cancel);

    public IAsyncEnumerable<JobId> ChangesAsync(CancellationToken cancel) => store.ChangesAsync(cancel);
}
