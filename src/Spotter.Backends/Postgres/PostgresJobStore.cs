using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The truth about jobs in a PostgreSQL database that several gateways share. Nothing in memory here counts: calls
/// that come together go as one statement, and what each changed is told to this gateway's readers and to the others. Jobs are taken
/// from their table, unless another technology delivers their ids.
/// </summary>
internal sealed class PostgresJobStore : IJobStore
{
    private const int FoldEvery = 200;

    /// <summary>Items in one statement.</summary>
    private const int Largest = 500;

    private static readonly JobError Silent = new(
        ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it.");

    private readonly PostgresJobWrites writes;
    private readonly PostgresTakes takes;
    private readonly PostgresGrants? grants;
    private readonly IJobDelivery? delivery;
    private readonly PostgresTransitions transitions;
    private readonly PostgresJobQueries queries;
    private readonly PostgresSignals signals;
    private readonly TimeProvider clock;
    private readonly Batcher<PostgresJobWrites.Adding, IReadOnlyList<AddedJob?>> adds;
    private readonly Batcher<PostgresJobWrites.Extending, IReadOnlyList<bool>> extensions;
    private readonly Batcher<PostgresJobWrites.Ending, EndedAttempt?> ends;
    private readonly Batcher<PostgresTransitions.Retrying, (EndedAttempt? Ended, JobChange Change)> retried;
    private int written;

    public PostgresJobStore(
        PostgresDatabase database, PostgresSignals signals, RetrySchedule retries, RandomSource random, TimeProvider clock, IJobDelivery? delivery = null)
    {
        writes = new PostgresJobWrites(database, signals, clock);
        takes = new PostgresTakes(database, clock);
        grants = delivery is null ? null : new PostgresGrants(database, delivery, clock);
        this.delivery = delivery;
        transitions = new PostgresTransitions(database, signals, retries, random, clock);
        queries = new PostgresJobQueries(database, clock);
        this.signals = signals;
        this.clock = clock;
        adds = new(writes.AddAsync, PostgresFault.OfBatches, Largest);
        extensions = new(writes.ExtendAsync, PostgresFault.OfBatches, Largest);
        ends = new(writes.EndAsync, PostgresFault.OfBatches, Largest);
        retried = new(transitions.RetryAsync, PostgresFault.OfBatches, Largest);
    }

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        if (jobs.Count == 0)
            return [];
        var added = await adds.RunAsync(new([.. jobs.Select(PostgresJobWrites.NewRow.Of)]), cancel);
        List<Job> accepted = [.. added.OfType<AddedJob>().Where(a => a.IsNew).Select(a => a.Job)];
        if (delivery is not null)
            await delivery.AcceptedAsync(accepted.FindAll(job => job.State == JobState.Queued));
        await TellAsync([.. accepted.Select(job => new JobChange(job.Id, job.State == JobState.Queued ? job.Queue : null))]);
        return added.Contains(null)
            ? throw new SpotterException(ErrorCodes.Busy, "The job with this Idempotency-Key can't be read now; send the request again with the same key.")
            : [.. added.OfType<AddedJob>()];
    }

    public async Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) =>
        (await TakeInTurnAsync([request], cancel))[0];

    public async Task<IReadOnlyList<TakenJobs>> TakeInTurnAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel)
    {
        if (requests.All(request => request.Workers.Count == 0 || request.Queues.Count == 0))
            return [TakenJobs.None];
        cancel.ThrowIfCancellationRequested();
        var taken = grants is null ? await takes.TakeAsync(requests, cancel) : await grants.TakeAsync(requests, cancel);
        await TellAsync([.. taken.SelectMany(t => t.Jobs, (_, started) => new JobChange(started.Job.Id, null))]);
        return taken;
    }

    public async Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) =>
        leases.Count == 0 ? [] : await extensions.RunAsync(new(leases, duration), cancel);

    public async Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        var ending = outcome switch
        {
            JobOutcome.Done done => new PostgresJobWrites.Ending(
                lease, JobState.Succeeded, null, JsonSerializer.Serialize(done.Timings, SpotterJson.Default.JobTimings),
                done.Result.ToString(), OutputColumn.Write(done.Output, done.Outputs), done.ModelVersion, ServedJobs.One(done.Timings).Seconds),
            JobOutcome.Reject reject => new(lease, JobState.Failed, reject.Error, null, null, null, null),
            _ => null,
        };
        var (ended, change) = ending is not null
            ? (await ends.RunAsync(ending, cancel), new JobChange(lease.Job, null))
            : await retried.RunAsync(new(lease, (JobOutcome.Retry)outcome), cancel);
        if (ended is not null)
            await ChangedAsync([change]);
        return ended;
    }

    public async Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel)
    {
        await ChangedAsync(await transitions.CancelAsync(id, by, cancel));
        return await queries.FindAsync(id, cancel);
    }

    public async Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) =>
        await ChangedAsync(await transitions.RedriveAsync(filter, by, cancel));

    public async Task<int> ExpireAsync(int limit, CancellationToken cancel) =>
        await ChangedAsync(await transitions.ExpireAsync(limit, cancel));

    public async Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        var lost = await transitions.TakeLeasesAsync(
            "($1 IS NULL OR j.worker = $1) ORDER BY j.seq FOR UPDATE", p => p.WithText(worker), error, spendAttempt, cancel);
        await ChangedAsync(lost);
        var queued = lost.Count(change => change.Queue is not null);
        return new(queued, lost.Count - queued);
    }

    public async Task<int> ReapAsync(int limit, CancellationToken cancel) =>
        await ChangedAsync(await transitions.TakeLeasesAsync(
            "j.leased_until <= $1 ORDER BY j.leased_until LIMIT $2 FOR UPDATE SKIP LOCKED",
            p => p.With(Microseconds.Now(clock)).With((long)limit), Silent, spendAttempt: true, cancel));

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => queries.FindAsync(id, cancel);

    public Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) => queries.FindIdsAsync(prefix, tenant, cancel);

    public Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel) =>
        queries.FindByKeysAsync(idempotencyKeys, cancel);

    public Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        queries.FindCachedAsync(tenant, resultCacheKey, modelVersion, cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => queries.ListAsync(filter, cancel);

    public Task<StoreCounts> CountAsync(CancellationToken cancel) => queries.CountAsync(cancel);

    public Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        queries.UnknownBlobsAsync(keys, cancel);

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        writes.ExpireBlobsAsync(finishedBefore, limit, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => writes.PurgeAsync(finishedBefore, limit, cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => signals.ChangesAsync(cancel);

    /// <summary>Does what waits, and takes nothing more.</summary>
    public Task StopAsync() => Task.WhenAll(adds.StopAsync(), extensions.StopAsync(), ends.StopAsync(), retried.StopAsync());

    /// <summary>As <see cref="TellAsync"/>, of changes that a delivery does not know of yet; it has to, before somebody hears that there is a job to be had.</summary>
    private async Task<int> ChangedAsync(IReadOnlyCollection<JobChange> changes)
    {
        if (delivery is not null && changes.Count > 0)
            await delivery.ChangedAsync(changes);
        return await TellAsync(changes);
    }

    /// <summary>Tells of changes, and now and then folds the tallies that grew with them; their number.</summary>
    private async Task<int> TellAsync(IReadOnlyCollection<JobChange> changes)
    {
        if (changes.Count == 0)
            return 0;
        signals.Changed(changes);
        if (Interlocked.Increment(ref written) % FoldEvery == 0)
        {
            try
            {
                await writes.FoldTalliesAsync();
            }
            catch (Exception e) when (PostgresFault.IsFault(e))
            {
                // They are as right as before, only longer; the next one will do.
            }
        }
        return changes.Count;
    }
}
