using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// The truth about jobs. Every method that changes something returns only once the change would survive a power
/// cut, except <see cref="ExtendAsync"/>. Errors: <see cref="SpotterException"/> with
/// <see cref="ErrorCodes.DiskFull"/>, <see cref="ErrorCodes.StoreUnavailable"/> or <see cref="ErrorCodes.Busy"/>.
/// </summary>
public interface IJobStore
{
    /// <summary>
    /// Accepts jobs, all or none. A job whose idempotency key is known already is not added: its row as it stands
    /// is returned instead, with <see cref="AddedJob.IsNew"/> false. Results are in the order of the jobs. An id that
    /// exists already is refused, and all that came with it.
    /// </summary>
    Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel);

    /// <summary>The row; null if there is none.</summary>
    Task<Job?> FindAsync(JobId id, CancellationToken cancel);

    /// <summary>The row with this idempotency key; null if there is none.</summary>
    Task<Job?> FindByKeyAsync(string idempotencyKey, CancellationToken cancel);

    /// <summary>
    /// The newest job of a tenant that succeeded with this <see cref="NewJob.ResultCacheKey"/> by this version of the model and was
    /// run itself; null if there is none.
    /// </summary>
    Task<Job?> FindCachedAsync(string tenant, string workKey, string modelVersion, CancellationToken cancel);

    /// <summary>The users' jobs (no internal ones), newest first.</summary>
    Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel);

    /// <summary>
    /// Turns a queued, due job into a running one: raises its epoch and attempts and gives it to
    /// <paramref name="worker"/> for <paramref name="hold"/>. Null if it is not queued, not yet due, or past its
    /// <see cref="Job.Expires"/>.
    /// </summary>
    Task<StartedJob?> StartAsync(Delivery delivery, string worker, TimeSpan hold, CancellationToken cancel);

    /// <summary>Prolongs a lease; false when it is lost (expired and taken, finished, or cancelled).</summary>
    Task<bool> ExtendAsync(Lease lease, TimeSpan hold, CancellationToken cancel);

    /// <summary>
    /// Ends an attempt. Changes nothing and returns null when the lease is lost; otherwise the row as it stands
    /// then: terminal, or queued again for a later time according to the <see cref="RetrySchedule"/>.
    /// </summary>
    Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel);

    /// <summary>Cancels a job that is not terminal, and notes who wanted it. The row as it stands afterwards; null if there is none.</summary>
    Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel);

    /// <summary>
    /// Puts dead jobs back into their queues with all their attempts before them: the one way out of a terminal state.
    /// Those that were, at most <see cref="RedriveFilter.Limit"/>, longest dead first.
    /// </summary>
    Task<IReadOnlyList<DueJob>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel);

    /// <summary>Fails queued jobs that were not started before their <see cref="Job.Expires"/>, at most <paramref name="limit"/>; their number.</summary>
    Task<int> ExpireAsync(int limit, CancellationToken cancel);

    /// <summary>
    /// Takes the leases of a worker that is known to be gone; of every worker when <paramref name="worker"/> is
    /// null. <paramref name="error"/> and <paramref name="spendAttempt"/> as in <see cref="JobOutcome.Retry"/>; a job
    /// that spends an attempt this way runs solo from then on.
    /// </summary>
    Task<IReadOnlyList<EndedAttempt>> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel);

    /// <summary>Takes leases that have run out, at most <paramref name="limit"/>; each costs an attempt and makes the job run solo.</summary>
    Task<IReadOnlyList<EndedAttempt>> ReapAsync(int limit, CancellationToken cancel);

    /// <summary>
    /// Queued jobs that have been due for longer than <paramref name="overdue"/>, oldest first: what a queue may
    /// have lost. The first <paramref name="skip"/> are left out, at most <paramref name="limit"/> are given.
    /// </summary>
    Task<IReadOnlyList<DueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel);

    /// <summary>Counts over all jobs, or over those of one engine.</summary>
    Task<JobCounts> CountAsync(string? engine, CancellationToken cancel);

    /// <summary>How many jobs wait in each queue; queues in which none waits are left out.</summary>
    Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel);

    /// <summary>How many queued jobs of the same queue are ahead of this one, going by priority and then by age; null when it is not queued.</summary>
    Task<int?> PositionAsync(JobId id, CancellationToken cancel);

    /// <summary>
    /// Marks the pictures of jobs that ended before <paramref name="finishedBefore"/> as expired and returns the
    /// keys of their blobs (originals and drawn pictures), for deletion.
    /// </summary>
    Task<IReadOnlyList<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel);

    /// <summary>Deletes terminal rows that ended before <paramref name="finishedBefore"/>; their number.</summary>
    Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel);

    /// <summary>
    /// Ids of jobs whose row has changed, as it happens, until cancelled. A slow reader may miss some: whoever
    /// waits for a job also looks at its row from time to time.
    /// </summary>
    IAsyncEnumerable<JobId> ChangesAsync(CancellationToken cancel);
}

/// <summary>The answer to one job of <see cref="IJobStore.AddAsync"/>.</summary>
/// <param name="Job">The row.</param>
/// <param name="IsNew">False when the row was there already.</param>
public sealed record AddedJob(Job Job, bool IsNew);

/// <summary>A job and the lease to run it.</summary>
/// <param name="Job">The row.</param>
/// <param name="Lease">The right to run it.</param>
public sealed record StartedJob(Job Job, Lease Lease);

/// <summary>A row after one of its attempts has ended.</summary>
/// <param name="Id">The job.</param>
/// <param name="Queue">Its queue (<see cref="QueueNames"/>).</param>
/// <param name="Priority">Which jobs it goes before.</param>
/// <param name="State">Where it stands now.</param>
/// <param name="RetryAfter">Wait before the next attempt; null when there is none.</param>
public sealed record EndedAttempt(JobId Id, string Queue, JobPriority Priority, JobState State, TimeSpan? RetryAfter);

/// <summary>A job that belongs into its queue.</summary>
/// <param name="Id">The job.</param>
/// <param name="Queue">Its queue (<see cref="QueueNames"/>).</param>
/// <param name="Priority">Which jobs it goes before.</param>
public sealed record DueJob(JobId Id, string Queue, JobPriority Priority);

/// <summary>Which dead jobs to put back; all conditions that are given have to hold.</summary>
public sealed record RedriveFilter
{
    /// <summary>Only these; null for any.</summary>
    public IReadOnlyList<JobId>? Ids { get; init; }

    /// <summary>Only those that died of this code; null for any.</summary>
    public string? Error { get; init; }

    /// <summary>Only those of this tenant; null for any.</summary>
    public string? Tenant { get; init; }

    /// <summary>At most so many.</summary>
    public int Limit { get; init; } = 500;
}

/// <summary>What waits in one queue, according to the rows.</summary>
/// <param name="Queue">The queue (<see cref="QueueNames"/>).</param>
/// <param name="Queued">The users' jobs that wait.</param>
/// <param name="InternalQueued">Spotter's own jobs that wait.</param>
public sealed record QueueBacklog(string Queue, long Queued, long InternalQueued);

/// <summary>Which jobs to list.</summary>
public sealed record JobFilter
{
    /// <summary>Only this state; null for all.</summary>
    public JobState? State { get; init; }

    /// <summary>Only this engine; null for all.</summary>
    public string? Engine { get; init; }

    /// <summary>Only those with an error of this code; null for all.</summary>
    public string? Error { get; init; }

    /// <summary>Only those of this tenant; null for all.</summary>
    public string? Tenant { get; init; }

    /// <summary>At most so many.</summary>
    public int Limit { get; init; } = 50;

    /// <summary>Only jobs older than this one: the cursor.</summary>
    public JobId? After { get; init; }
}

/// <summary>How many of the users' jobs stand where; Spotter's own (<see cref="NewJob.Internal"/>) are counted apart.</summary>
/// <param name="Queued">Waiting, also for a later attempt.</param>
/// <param name="Running">Under a lease.</param>
/// <param name="Succeeded">With a result.</param>
/// <param name="Failed">Refused while running.</param>
/// <param name="Dead">Out of attempts.</param>
/// <param name="Cancelled">Withdrawn.</param>
/// <param name="OldestQueued">When the oldest waiting job was accepted; null when none waits.</param>
public sealed record JobCounts(
    long Queued, long Running, long Succeeded, long Failed, long Dead, long Cancelled, DateTimeOffset? OldestQueued)
{
    /// <summary>Spotter's own jobs that wait: work for workers like any other.</summary>
    public long InternalQueued { get; init; }

    /// <summary>Spotter's own jobs under a lease.</summary>
    public long InternalRunning { get; init; }
}
