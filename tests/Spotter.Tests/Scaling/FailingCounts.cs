using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Scaling;

/// <summary>A store whose counts can't be had for a while; everything else is the real one's.</summary>
internal sealed class FailingCounts(IJobStore store) : IJobStore
{
    public bool Fails { get; set; } = true;

    /// <summary>True to answer never, whoever gives up waiting.</summary>
    public bool Hangs { get; init; }

    public int Asked { get; private set; }

    public Task<StoreCounts> CountAsync(CancellationToken cancel)
    {
        Asked++;
        if (Hangs)
            return new TaskCompletionSource<StoreCounts>().Task;
        return Fails ? throw new SpotterException(ErrorCodes.StoreUnavailable, "The store is away.") : store.CountAsync(cancel);
    }

    public Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel) => store.AddAsync(jobs, cancel);

    public Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) => store.TakeAsync(request, cancel);

    public Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) =>
        store.ExtendAsync(leases, duration, enough, cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) => store.FinishAsync(lease, outcome, cancel);

    public Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel) => store.CancelAsync(id, by, cancel);

    public Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) => store.RedriveAsync(filter, by, cancel);

    public Task<int> ExpireAsync(int limit, CancellationToken cancel) => store.ExpireAsync(limit, cancel);

    public Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        store.ReleaseAsync(worker, error, spendAttempt, cancel);

    public Task<int> ReapAsync(int limit, CancellationToken cancel) => store.ReapAsync(limit, cancel);

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => store.FindAsync(id, cancel);

    public Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) => store.FindIdsAsync(prefix, tenant, cancel);

    public Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel) =>
        store.FindByKeysAsync(idempotencyKeys, cancel);

    public Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        store.FindCachedAsync(tenant, resultCacheKey, modelVersion, cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => store.ListAsync(filter, cancel);

    public Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        store.UnknownBlobsAsync(keys, cancel);

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        store.ExpireBlobsAsync(finishedBefore, limit, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => store.PurgeAsync(finishedBefore, limit, cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => store.ChangesAsync(cancel);
}
