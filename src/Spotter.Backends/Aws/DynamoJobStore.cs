using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// The truth about jobs in a DynamoDB table, and messages about them in SQS. A row is replaced only by whoever has read its latest
/// version, and only that grants a lease or ends a job; messages may come twice, late or never.
/// </summary>
internal sealed class DynamoJobStore : IJobStore, IAsyncDisposable
{
    /// <summary>A message is hidden again when this much of its time is over.</summary>
    private static readonly TimeSpan HideEvery = TimeSpan.FromSeconds(20);

    private const int MostTries = 5;

    private static readonly JobError Silent = new(
        ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it.");

    private readonly DynamoTable table;
    private readonly SqsQueues queues;
    private readonly TimeProvider clock;
    private readonly JobTransitions transitions;
    private readonly JobRows rows;
    private readonly Tallies tallies;
    private readonly Ledger ledger;
    private readonly KnownJobs known = new();
    private readonly KnownLeases leases = new();
    private readonly ChangeReaders changes = new();
    private readonly JobTakes takes;
    private readonly JobLists lists;
    private readonly JobSweep sweep;
    private int closed;

    public DynamoJobStore(DynamoTable table, SqsQueues queues, AwsFaults faults, DynamoOutbox outbox, RetrySchedule retries, RandomSource random, TimeProvider clock, Pace pace)
    {
        (this.table, this.queues, this.clock) = (table, queues, clock);
        transitions = new JobTransitions(retries, random);
        tallies = new Tallies(table, pace.Random.NextHex(8), clock);
        rows = new JobRows(table, tallies, changes, outbox);
        ledger = new Ledger(table, faults, pace);
        takes = new JobTakes(rows, queues, known, leases, changes, clock, pace);
        lists = new JobLists(table, rows);
        sweep = new JobSweep(rows, ledger, queues, tallies, known, leases, this, clock);
    }

    /// <summary>Remembers what is open; once, before anything else.</summary>
    public Task RememberAsync(CancellationToken cancel) => sweep.RememberAsync(cancel);

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (jobs.Count == 0)
            return [];
        for (var tries = 1; ; tries++)
        {
            var keys = await rows.FindKeysAsync([.. jobs.Select(j => j.IdempotencyKey).OfType<string>()], cancel);
            var byKey = keys.Known.ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal);
            var now = clock.GetUtcNow();
            // Of several with one key the first is made.
            var fresh = jobs.Where(j => j.IdempotencyKey is null || !byKey.ContainsKey(j.IdempotencyKey)).DistinctBy(j => j.IdempotencyKey ?? j.Id.Value, StringComparer.Ordinal)
                .Select(j => JobRow.Accepted(JobTransitions.Accept(j, now), now)).ToList();
            if (fresh.Count > 0 && await MakeAsync(fresh, keys.Stale, now) is { } refused)
            {
                if (refused.IsKeyKnown && tries < MostTries)
                    continue;
                throw refused.IsKeyKnown
                    ? new SpotterException(ErrorCodes.Busy, "The job with this Idempotency-Key can't be read now; send the request again with the same key.")
                    : new SpotterException(ErrorCodes.Internal, "The job store refused a row that breaks its rules.");
            }
            var made = fresh.ToDictionary(r => r.Job.IdempotencyKey ?? r.Job.Id.Value, r => r.Job, StringComparer.Ordinal);
            var told = new HashSet<JobId>();
            return [.. jobs.Select(j => made.TryGetValue(j.IdempotencyKey ?? j.Id.Value, out var mine) ? new AddedJob(mine, told.Add(mine.Id)) : new AddedJob(byKey[j.IdempotencyKey!], IsNew: false))];
        }
    }

    public Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) =>
        request.Workers.Count == 0 || request.Queues.Count == 0 ? Task.FromResult(TakenJobs.None) : takes.TakeAsync(request, cancel);

    public async Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) =>
        await Task.WhenAll(leases.Select(lease => ExtendAsync(lease, duration, enough, cancel)));

    public async Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (_, after) = await rows.ChangeAsync(lease.Job, row => row.IsHeldBy(lease) ? transitions.Finish(row, outcome, now).WithMessage() : null, cancel);
        if (after is null)
            return null;
        if (outcome is JobOutcome.Done done)
        {
            tallies.Serve(lease.Queue, ServedJobs.One(done.Timings));
            await NoteCachedAsync(after);
        }
        takes.Ended(Known(lease), after);
        return new EndedAttempt(lease.Job, after.Job.State, after.IsQueued ? after.Due - now : null);
    }

    public async Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (before, after) = await rows.ChangeAsync(id, row => row.Job.State.IsTerminal() ? null : JobTransitions.Cancel(row, by, now), cancel);
        known.Remove(id);
        if (after is not null && leases.Drop(id) is { } running)
            takes.Ended(running.Lease, after);
        return (after ?? before)?.Job;
    }

    public async Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel)
    {
        var redriven = 0;
        foreach (var dead in await lists.DeadAsync(filter, cancel))
        {
            var now = clock.GetUtcNow();
            // Before the row, as with new jobs: where this gateway ends between the two, the job is looked for all the same.
            await ledger.NoteAsync([dead], now, cancel);
            var (_, after) = await rows.ChangeAsync(dead, row => row.Job is { State: JobState.Dead, InputsExpired: false } ? JobTransitions.Redrive(row, by, now).WithMessage() : null, cancel);
            if (after is null)
                continue;
            redriven++;
            await SendAsync(after);
        }
        return redriven;
    }

    public async Task<int> ExpireAsync(int limit, CancellationToken cancel)
    {
        var expired = 0;
        foreach (var id in known.Expired(clock.GetUtcNow(), limit))
            expired += await ExpireAsync(id, cancel) ? 1 : 0;
        return expired;
    }

    public async Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        var lost = new List<JobRow>();
        // All open rows are read for that. One that leaves by itself has handed in what it ran, and holds at most what this gateway gave it last.
        if (worker is null || spendAttempt)
            await sweep.FindLeasesAsync(cancel);
        foreach (var held in leases.Of(worker))
        {
            if (await LoseAsync(held.Lease, row => row.IsHeldBy(held.Lease), error, spendAttempt) is { } after)
                lost.Add(after);
        }
        var queued = lost.Count(row => row.IsQueued);
        return new LostLeases(queued, lost.Count - queued);
    }

    public async Task<int> ReapAsync(int limit, CancellationToken cancel)
    {
        await sweep.SweepAsync(cancel);
        var reaped = 0;
        foreach (var held in leases.RunOut(clock.GetUtcNow(), limit))
            reaped += await ReapAsync(held.Lease) ? 1 : 0;
        return reaped;
    }

    public async Task<Job?> FindAsync(JobId id, CancellationToken cancel) => (await rows.FindAsync(id, cancel))?.Job;

    public Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) => lists.FindIdsAsync(prefix, tenant, cancel);

    public async Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel) =>
        (await rows.FindKeysAsync(idempotencyKeys, cancel)).Known;

    public async Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        await table.GetAsync(RowCodec.KeyOfCache(tenant, resultCacheKey, modelVersion), cancel) is { } item
            && await rows.FindAsync(JobId.Parse(item["job"].S), cancel) is { Job: { State: JobState.Succeeded } job } ? job : null;

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => lists.ListAsync(filter, cancel);

    public async Task<StoreCounts> CountAsync(CancellationToken cancel)
    {
        var (sums, now) = (await tallies.SumAsync(cancel), clock.GetUtcNow());
        var backlogs = new List<Backlog>();
        foreach (var line in sums.Lines.GroupBy(l => new SqsLine(l.Key.Queue, l.Key.Priority)))
        {
            long Count(JobState state, bool? isInternal) => Math.Max(0, line.Where(l => isInternal is null || l.Key.Internal == isInternal).Sum(l => l.Value[(int)state]));
            var (delayed, oldest) = await LookAsync(line.Key, now, cancel);
            backlogs.Add(new Backlog(line.Key.Queue, line.Key.Priority, Count(JobState.Queued, false), Count(JobState.Queued, true))
            {
                Running = Count(JobState.Running, null), Delayed = delayed, Oldest = oldest,
            });
        }
        long All(JobState state, bool isInternal = false) => Math.Max(0, sums.Count(state, isInternal));
        var jobs = new JobCounts(All(JobState.Queued), All(JobState.Running), All(JobState.Succeeded), All(JobState.Failed), All(JobState.Dead), All(JobState.Cancelled))
        {
            Ended = sums.Ended, InternalQueued = All(JobState.Queued, isInternal: true), InternalRunning = All(JobState.Running, isInternal: true),
        };
        return new StoreCounts(jobs, backlogs) { Served = sums.Served };
    }

    public async Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        keys.Count == 0 ? [] : await rows.UnknownBlobsAsync(keys, cancel);

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        sweep.ExpireBlobsAsync(finishedBefore, limit, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => sweep.PurgeAsync(finishedBefore, limit, cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => changes.ReadAsync(cancel);

    /// <summary>Writes what waits, and ends; once, as both the backend and whoever hands the store out dispose of it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0)
            return;
        await takes.DisposeAsync();
        await ledger.DisposeAsync();
        await queues.StopAsync();
        try
        {
            await tallies.WriteAsync(force: true, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // What is missing is counted anew.
        }
    }

    /// <summary>Sends a message about a job that waits. Where that fails, the job is taken here as soon as it is due, or found by whoever looks.</summary>
    internal async Task SendAsync(JobRow row)
    {
        var (line, delay) = (new SqsLine(row.Job.Queue, row.Job.Priority), row.Due - clock.GetUtcNow());
        // What is due later is known here, too; whoever looks sends what was due later than SQS can wait, and then says so in the row.
        known.Add(KnownJob.Of(row, receipt: null, isDirect: delay > TimeSpan.Zero));
        if (row.Sent == JobRow.Unsent)
            return;
        try
        {
            await queues.SendAsync(line, row.Job.Id, delay);
            takes.Sent(line);
        }
        catch (SpotterException)
        {
            known.Add(KnownJob.Of(row, receipt: null, isDirect: true));
        }
        changes.Publish([new JobChange(null, line.Queue)]);
    }

    /// <summary>Fails a job that nobody has started in time.</summary>
    private async Task<bool> ExpireAsync(JobId id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (_, after) = await rows.ChangeAsync(id, row => row.HasExpired(now) ? JobTransitions.Expire(row, now) : null, cancel);
        known.Remove(id);
        return after is not null;
    }

    /// <summary>Takes a lease that has run out.</summary>
    private async Task<bool> ReapAsync(Lease lease)
    {
        var now = clock.GetUtcNow();
        if (await LoseAsync(lease, row => row.IsHeldBy(lease) && row.LeasedUntil <= now, Silent, spendAttempt: true) is not null)
            return true;
        // Extended through another gateway, or over: that one knows.
        leases.Drop(lease.Job);
        return false;
    }

    private async Task<JobRow?> LoseAsync(Lease lease, Func<JobRow, bool> still, JobError error, bool spendAttempt)
    {
        var now = clock.GetUtcNow();
        var (_, after) = await rows.ChangeAsync(lease.Job, row => still(row) ? transitions.Lose(row, error, spendAttempt, now).WithMessage() : null, CancellationToken.None);
        if (after is not null)
            takes.Ended(Known(lease), after);
        return after;
    }

    /// <summary>A worker may have its lease from another gateway, and a gateway may know the message when the worker doesn't.</summary>
    private Lease Known(Lease lease) => lease.Receipt is null && leases.Find(lease.Job) is { } held ? held.Lease : lease;

    private async Task<(JobRow Row, bool IsKeyKnown)?> MakeAsync(List<JobRow> fresh, IReadOnlyDictionary<string, JobId> stale, DateTimeOffset now)
    {
        await Task.WhenAll(fresh.Where(r => r.IsQueued).Select(r => new SqsLine(r.Job.Queue, r.Job.Priority)).Distinct().Select(queues.CheckAsync));
        await Task.WhenAll(
            ledger.NoteAsync([.. fresh.Select(r => r.Job.Id)], now, CancellationToken.None),
            Task.WhenAll(fresh.Select(r => rows.NoteBlobsAsync(r.Job.Id, r.Blobs, CancellationToken.None))));
        if (await rows.AddAsync(fresh, stale, CancellationToken.None) is { } refused)
            return refused;
        await Task.WhenAll(fresh.Where(r => r.IsQueued).Select(SendAsync));
        return null;
    }

    private async Task<bool> ExtendAsync(Lease lease, TimeSpan duration, TimeSpan enough, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        // Most jobs end long before their lease does, and a write for each would double what they cost.
        var (before, after) = await rows.ChangeAsync(
            lease.Job, r => r.IsHeldBy(lease) && r.LeasedUntil < now + enough ? r with { LeasedUntil = now + duration } : null, cancel);
        var row = after ?? before;
        if (row?.IsHeldBy(lease) != true)
        {
            if (leases.Find(lease.Job)?.Lease is { } held && held.FencingToken == lease.FencingToken && held.Worker == lease.Worker)
                leases.Drop(lease.Job);
            return false;
        }
        var full = Known(lease);
        var hiddenAt = leases.Find(lease.Job)?.HiddenAt ?? DateTimeOffset.MinValue;
        if (now - hiddenAt >= HideEvery && SqsReceipt.Of(full) is { } receipt)
        {
            SqsQueues.Forget(queues.HideAsync(receipt, duration > SqsQueues.Visibility ? duration : SqsQueues.Visibility));
            hiddenAt = now;
        }
        leases.Hold(new(full, row.LeasedUntil, hiddenAt));
        return true;
    }

    private async Task NoteCachedAsync(JobRow row)
    {
        if (row is not { CacheKey: { } work, Job: { ModelVersion: { } version, CachedFrom: null } job })
            return;
        var item = RowCodec.KeyOfCache(job.Tenant, work, version).ToItem();
        item["job"] = Value.Of(job.Id.Value);
        try
        {
            await table.PutAsync(item, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // The same work is done once more.
        }
    }

    /// <summary>How many jobs of a line are delayed, and since when the oldest waits. Others may have taken what is known here.</summary>
    private async Task<(long Delayed, DateTimeOffset? Oldest)> LookAsync(SqsLine line, DateTimeOffset now, CancellationToken cancel)
    {
        const int MostLooks = 20;
        for (var looks = 0; ; looks++)
        {
            var (delayed, oldest) = known.Look(line, now, now + Backlog.Soon);
            if (oldest is null || !tallies.HasCompany || looks == MostLooks || await rows.FindAsync(oldest.Id, cancel) is { IsQueued: true })
                return (delayed, oldest?.Created);
            known.Remove(oldest.Id);
        }
    }
}
