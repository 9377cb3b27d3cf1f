using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// The truth about jobs, and the queue in which they wait. Every method that changes something returns only once the
/// change would survive a power cut, except <see cref="ExtendAsync"/>. Calls that come together may be done together.
/// Errors: <see cref="SpotterException"/> with <see cref="ErrorCodes.DiskFull"/>, <see cref="ErrorCodes.StoreUnavailable"/>
/// or <see cref="ErrorCodes.Busy"/>.
/// </summary>
public interface IJobStore
{
    /// <summary>
    /// Accepts jobs, all or none. A job whose idempotency key is known already is not added: its row as it stands
    /// is returned instead, with <see cref="AddedJob.IsNew"/> false. Results are in the order of the jobs. An id that
    /// exists already is refused, and all that came with it.
    /// </summary>
    Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel);

    /// <summary>
    /// Gives jobs that are due to workers: raises each job's fencing token and attempts. Waits for nothing. Jobs past their
    /// <see cref="Job.Expires"/> are not given. The first worker gets the first job.
    /// </summary>
    Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel);

    /// <summary>
    /// How many takes to have under way at a time. More than one where the next take can be prepared while the last one is
    /// made durable; one where fewer and larger takes cost less.
    /// </summary>
    int TakesAtOnce => 1;

    /// <summary>
    /// Several takes, each of what those before it left; the answers in their order. When one gives fewer jobs than it has
    /// workers, those after it may have no answer. A store that can do them as one change does so.
    /// </summary>
    async Task<IReadOnlyList<TakenJobs>> TakeInTurnAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel)
    {
        var taken = new List<TakenJobs>(requests.Count);
        foreach (var request in requests)
        {
            try
            {
                taken.Add(await TakeAsync(request, cancel));
            }
            catch (SpotterException) when (taken.Count > 0)
            {
                // What was taken must reach its workers.
                break;
            }
            if (taken[^1].Jobs.Count < request.Workers.Count)
                break;
        }
        return taken;
    }

    /// <summary>Prolongs leases; false for each that is lost (expired and taken, finished, or cancelled), in their order.</summary>
    /// <param name="leases">The leases.</param>
    /// <param name="duration">How long they last from now on.</param>
    /// <param name="enough">One that lasts for so long anyway may stay as it is, where a write costs money.</param>
    /// <param name="cancel">Ends the call.</param>
    Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel);

    /// <summary>
    /// Ends an attempt. Changes nothing and returns null when the lease is lost; otherwise where the job stands
    /// then: terminal, or queued again for a later time according to the <see cref="RetrySchedule"/>.
    /// </summary>
    Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel);

    /// <summary>Cancels a job that is not terminal, and notes who wanted it. The row as it stands afterwards; null if there is none.</summary>
    Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel);

    /// <summary>
    /// Puts dead jobs back into their queues with all their attempts before them: the one way out of a terminal state.
    /// How many, at most <see cref="RedriveFilter.Limit"/>, longest dead first.
    /// </summary>
    Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel);

    /// <summary>Fails queued jobs that were not started before their <see cref="Job.Expires"/>, at most <paramref name="limit"/>; their number.</summary>
    Task<int> ExpireAsync(int limit, CancellationToken cancel);

    /// <summary>
    /// Takes the leases of a worker that is known to be gone; of every worker when <paramref name="worker"/> is null. Their
    /// jobs. <paramref name="error"/> and <paramref name="spendAttempt"/> as in <see cref="JobOutcome.Retry"/>; a job
    /// that spends an attempt this way runs isolated from then on.
    /// </summary>
    Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel);

    /// <summary>Takes leases that have run out, at most <paramref name="limit"/>; each costs an attempt and isolates the job. Their number.</summary>
    Task<int> ReapAsync(int limit, CancellationToken cancel);

    /// <summary>The row; null if there is none.</summary>
    Task<Job?> FindAsync(JobId id, CancellationToken cancel);

    /// <summary>
    /// The ids that begin with some digits, the newest first: of the users' jobs (no internal ones), of one tenant's if
    /// <paramref name="tenant"/> is not null. Looks at no more than the newest <see cref="JobIdSearch.MostSeen"/> rows with such an id, whoever's.
    /// </summary>
    /// <param name="prefix">Digits for which <see cref="JobId.IsPrefix"/> holds.</param>
    /// <param name="tenant">Whose jobs; null for all.</param>
    /// <param name="cancel">Ends it.</param>
    Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel);

    /// <summary>The rows with these idempotency keys, as far as there are any, in no order.</summary>
    Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel);

    /// <summary>
    /// The newest job of a tenant that succeeded with this <see cref="NewJob.ResultCacheKey"/> by this version of the model
    /// and was run itself; null if there is none.
    /// </summary>
    Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel);

    /// <summary>The users' jobs (no internal ones), newest first. Costs what is on the page, however many other jobs there are.</summary>
    Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel);

    /// <summary>How many jobs stand where. Costs the same however many there are.</summary>
    Task<StoreCounts> CountAsync(CancellationToken cancel);

    /// <summary>Those of these blobs that no job with inputs or outputs to keep speaks of.</summary>
    Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel);

    /// <summary>
    /// Marks the inputs and outputs of jobs that ended before <paramref name="finishedBefore"/> as expired and returns the
    /// keys of their blobs, for deletion. A blob that several jobs speak of is returned with the last of them.
    /// </summary>
    Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel);

    /// <summary>Deletes terminal rows that ended before <paramref name="finishedBefore"/>; their number.</summary>
    Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel);

    /// <summary>
    /// What changes, here and in other processes, as it happens, until cancelled. A slow reader may miss some, and is told
    /// so (<see cref="JobChange.Missed"/>).
    /// </summary>
    IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel);
}

/// <summary>The answer to one job of <see cref="IJobStore.AddAsync"/>.</summary>
/// <param name="Job">The row.</param>
/// <param name="IsNew">False when the row was there already.</param>
public sealed record AddedJob(Job Job, bool IsNew);

/// <summary>Which jobs to give to whom.</summary>
/// <param name="Queues">The queues to take from (<see cref="QueueNames"/>).</param>
/// <param name="Levels">The levels of priority, in the order in which they are looked through (<see cref="PriorityTurns"/>); within a level the longest due go first.</param>
/// <param name="Workers">Who gets a job each; a name may come several times.</param>
/// <param name="Duration">How long each lease lasts.</param>
public sealed record TakeRequest(
    IReadOnlyCollection<string> Queues, IReadOnlyList<JobPriority> Levels, IReadOnlyList<string> Workers, TimeSpan Duration);

/// <summary>What was there.</summary>
/// <param name="Jobs">The jobs, in the order of the workers; fewer than those when there were no more.</param>
/// <param name="NextDue">When there were no more: the time at which the next job of these queues is due; null when none is known.</param>
public sealed record TakenJobs(IReadOnlyList<StartedJob> Jobs, DateTimeOffset? NextDue)
{
    /// <summary>Nothing, and nothing known to come.</summary>
    public static TakenJobs None { get; } = new([], null);
}

/// <summary>A job and the lease to run it.</summary>
/// <param name="Job">The row.</param>
/// <param name="Lease">The right to run it.</param>
public sealed record StartedJob(Job Job, Lease Lease)
{
    /// <summary>
    /// Links to its inputs in the blob store by their keys, for a worker that can reach it; null for one that goes through its gateway.
    /// They are permissions, so they are never logged.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Links { get; init; }

    /// <summary>Files with its inputs by their keys (<see cref="IBlobFiles"/>), for a worker on the machine of its gateway, which removes them as it opens them; null for others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Files { get; init; }
}

/// <summary>A row after one of its attempts has ended.</summary>
/// <param name="Id">The job.</param>
/// <param name="State">Where it stands now.</param>
/// <param name="RetryAfter">Wait before the next attempt; null when there is none.</param>
public sealed record EndedAttempt(JobId Id, JobState State, TimeSpan? RetryAfter);

/// <summary>What became of the jobs whose leases were taken.</summary>
/// <param name="Queued">Those that are tried again.</param>
/// <param name="Dead">Those that had no attempt left.</param>
public readonly record struct LostLeases(int Queued, int Dead)
{
    /// <summary>All of them.</summary>
    public int All => Queued + Dead;
}

/// <summary>The ids that begin with some digits.</summary>
/// <param name="Ids">At most <see cref="MostTold"/>, the newest first.</param>
/// <param name="IsWhole">True when these are all that there are.</param>
public sealed record JobIdSearch(IReadOnlyList<JobId> Ids, bool IsWhole)
{
    /// <summary>No more rows are looked at, so that a search costs the same however many there are.</summary>
    public const int MostSeen = 1000;

    /// <summary>No more ids are told.</summary>
    public const int MostTold = 5;

    /// <summary>Sifts what an index has in the range of the digits.</summary>
    /// <param name="seen">The newest <see cref="MostSeen"/> and one more, as far as there are so many, newest first.</param>
    /// <param name="tenant">Whose jobs; null for all.</param>
    public static JobIdSearch Among(IReadOnlyList<(JobId Id, bool Internal, string Tenant)> seen, string? tenant)
    {
        List<JobId> found = [.. seen.Take(MostSeen).Where(j => !j.Internal && (tenant is null || j.Tenant == tenant)).Select(j => j.Id)];
        return new([.. found.Take(MostTold)], seen.Count <= MostSeen && found.Count <= MostTold);
    }
}

/// <summary>A change of a job, or of a queue.</summary>
/// <param name="Job">The job whose row has changed; null when only the queue is known.</param>
/// <param name="Queue">The queue in which a job waits since then, perhaps for a later moment; null when none does.</param>
public readonly record struct JobChange(JobId? Job, string? Queue)
{
    /// <summary>Something was missed: any row, and any queue, may have changed.</summary>
    public static JobChange Missed => default;

    /// <summary>True when this stands for what was missed.</summary>
    public bool IsMissed => Job is null && Queue is null;
}

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

    /// <summary>Only jobs older than this one: the cursor. One that is not among the jobs of <see cref="Tenant"/>, whether or not it is somebody else's, leads to no jobs.</summary>
    public JobId? After { get; init; }
}
