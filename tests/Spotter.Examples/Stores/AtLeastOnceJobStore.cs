using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>
/// A store of the kind of SQS with a table: messages carry ids and may be lost, doubled or late; what is true stands in the
/// table, where only a conditional update grants a lease. A job's message stays hidden while it runs and serves for its next
/// attempt. What got lost is sent again, by whoever finds fewer jobs than it wanted, at most once in each
/// <see cref="Period"/> for each job.
/// </summary>
internal sealed class AtLeastOnceJobStore(Table table, UnreliableMessages messages, RetrySchedule retries, RandomSource random, TimeProvider clock) : IJobStore
{
    /// <summary>A message that led to nothing within this time is taken to be lost.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private const int MostReceived = 10;

    private static readonly JobError Silent = new(ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long.");

    private readonly JobTransitions transitions = new(retries, random);
    private readonly ChangeLog changes = new();

    public Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel) => Call(() =>
    {
        var now = clock.GetUtcNow();
        var added = table.Add(jobs, (job, number) => Item.Sent(new Row(JobTransitions.Accept(job, now), number)));
        foreach (var job in added.Where(a => a.IsNew).Select(a => a.Job))
        {
            if (job.State == JobState.Queued)
                messages.Send(job.Queue, job.Id, table.Find(job.Id)!.SentAt - now);
            changes.Tell(new JobChange(job.Id, job.State == JobState.Queued ? job.Queue : null));
        }
        return added;
    }, cancel);

    public Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) => Call(() =>
    {
        var started = new List<StartedJob>();
        Receive(request, started);
        if (started.Count < request.Workers.Count && SendLost(request.Queues))
            Receive(request, started);
        return new TakenJobs(started, started.Count < request.Workers.Count ? NextDue(request.Queues) : null);
    }, cancel);

    public Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) => Call<IReadOnlyList<bool>>(() =>
        [.. leases.Select(lease =>
        {
            if (Replace(lease.Job, row => row.IsHeldBy(lease) ? row with { LeasedUntil = clock.GetUtcNow() + duration } : null) is null)
                return false;
            messages.Hide(lease.Receipt!, duration);
            return true;
        })], cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) => Call(() =>
    {
        var now = clock.GetUtcNow();
        if (Replace(lease.Job, row => row.IsHeldBy(lease) ? transitions.Finish(row, outcome, now) : null) is not { } after)
            return null;
        // The row says it already; should this be cut off, whoever receives the message learns it from there.
        if (after.IsQueued)
            messages.Hide(lease.Receipt!, after.Due - now);
        else
            messages.Delete(lease.Receipt!);
        return new EndedAttempt(lease.Job, after.Job.State, after.IsQueued ? after.Due - now : null);
    }, cancel);

    public Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel) => Call(() =>
        (Replace(id, row => row.Job.State.IsTerminal() ? null : JobTransitions.Cancel(row, by, clock.GetUtcNow())) ?? table.Find(id)?.Row)?.Job, cancel);

    public Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) => ReplaceAll(
        rows => rows.ToRedrive(filter), row => row.Job.State == JobState.Dead, (row, now) => JobTransitions.Redrive(row, by, now), cancel);

    public Task<int> ExpireAsync(int limit, CancellationToken cancel) => ReplaceAll(
        rows => rows.Where(HasExpired).Take(limit), HasExpired, JobTransitions.Expire, cancel);

    public async Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) => (await ReplacedAsync(
        rows => rows.Where(r => IsAt(r, worker)), r => IsAt(r, worker), (row, now) => transitions.Lose(row, error, spendAttempt, now), cancel)).Lost();

    public Task<int> ReapAsync(int limit, CancellationToken cancel) => ReplaceAll(
        rows => rows.Where(HasRunOut).Take(limit), HasRunOut, (row, now) => transitions.Lose(row, Silent, spendAttempt: true, now), cancel);

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => Call(() => table.Find(id)?.Row.Job, cancel);

    public Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) => Call(() => table.Rows.Ids(prefix, tenant), cancel);

    public Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel) =>
        Call(() => table.Rows.ByKeys(idempotencyKeys), cancel);

    public Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        Call(() => table.Rows.Cached(tenant, resultCacheKey, modelVersion), cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => Call(() => table.Rows.List(filter), cancel);

    public Task<StoreCounts> CountAsync(CancellationToken cancel) => Call(() =>
        table.Rows.Count(table.Ended, clock.GetUtcNow(), _ => null) with { Served = table.Served }, cancel);

    public Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        Call<IReadOnlyList<string>>(() => [.. keys.Except(table.Rows.SelectMany(r => r.Blobs), StringComparer.Ordinal)], cancel);

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => Call<IReadOnlyList<string>>(() =>
    {
        bool IsOld(Row row) => row.Job.Finished < finishedBefore && !row.Job.InputsExpired;

        var expired = table.Rows.Where(IsOld).Take(limit)
            .Where(old => Replace(old.Job.Id, row => IsOld(row) ? row with { Job = row.Job with { InputsExpired = true } } : null) is not null)
            .SelectMany(r => r.Blobs).ToList();
        return [.. expired.Except(table.Rows.SelectMany(r => r.Blobs), StringComparer.Ordinal)];
    }, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => Call(() =>
    {
        var old = table.Rows.Where(r => r.Job.Finished < finishedBefore).Take(limit).ToList();
        old.ForEach(r => table.Delete(r.Job));
        return old.Count;
    }, cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => changes.ReadAsync(cancel);

    private static bool IsAt(Row row, string? worker) => row.Job.State == JobState.Running && (worker is null || row.Job.Worker == worker);

    private bool HasExpired(Row row) => row.IsQueued && row.Job.Expires <= clock.GetUtcNow();

    private bool HasRunOut(Row row) => row.Job.State == JobState.Running && row.LeasedUntil <= clock.GetUtcNow();

    private static Task<T> Call<T>(Func<T> call, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
            return Task.FromCanceled<T>(cancel);
        try
        {
            return Task.FromResult(call());
        }
        catch (SpotterException refused)
        {
            return Task.FromException<T>(refused);
        }
    }

    private void Receive(TakeRequest request, List<StartedJob> started)
    {
        foreach (var queue in request.Queues)
        {
            while (request.Workers.Count - started.Count is > 0 and var wanted
                && messages.Receive(queue, Math.Min(wanted, MostReceived), request.Duration) is { Count: > 0 } some)
            {
                foreach (var (job, receipt) in some)
                {
                    if (TryStart(job, receipt, request.Workers[started.Count], request.Duration) is { } one)
                        started.Add(one);
                }
            }
        }
    }

    /// <summary>Grants a lease if the row says so; else sees to it that the message comes when it may mean something, or never.</summary>
    private StartedJob? TryStart(JobId id, string receipt, string worker, TimeSpan duration)
    {
        var now = clock.GetUtcNow();
        if (Replace(id, row => row.MayStart(now) && row.Due <= now ? JobTransitions.Take(row, worker, duration, now) : null) is { Job: var job })
            return new StartedJob(job, new Lease(id, job.Queue, job.FencingToken, job.Attempts, worker) { Receipt = receipt });
        switch (table.Find(id)?.Row)
        {
            case { IsQueued: true } early when early.MayStart(now):
                messages.Hide(receipt, early.Due - now);
                break;
            case { Job.State: JobState.Running } running:
                messages.Hide(receipt, running.LeasedUntil > now ? running.LeasedUntil - now : Period);
                break;
            default:
                messages.Delete(receipt);
                break;
        }
        return null;
    }

    /// <summary>Sends what should have been taken long ago once more; true if there was any.</summary>
    private bool SendLost(IReadOnlyCollection<string> queues)
    {
        var now = clock.GetUtcNow();
        var any = false;
        foreach (var item in table.Items.Where(i => IsIn(i.Row, queues, now) && i.Row.Due <= now && i.SentAt + Period <= now))
        {
            // Whoever replaces the row is the one who sends.
            if (!table.TryReplace(item, item with { SentAt = now }))
                continue;
            messages.Send(item.Row.Job.Queue, item.Row.Job.Id, TimeSpan.Zero);
            any = true;
        }
        return any;
    }

    /// <summary>When the next job is due, or the next message may be sent once more.</summary>
    private DateTimeOffset? NextDue(IReadOnlyCollection<string> queues)
    {
        var now = clock.GetUtcNow();
        return table.Items.Where(i => IsIn(i.Row, queues, now)).Min(i => (DateTimeOffset?)(i.Row.Due > now ? i.Row.Due : i.SentAt + Period));
    }

    private static bool IsIn(Row row, IReadOnlyCollection<string> queues, DateTimeOffset now) =>
        row.MayStart(now) && queues.Contains(row.Job.Queue, StringComparer.Ordinal);

    private async Task<int> ReplaceAll(
        Func<IEnumerable<Row>, IEnumerable<Row>> which, Func<Row, bool> still, Func<Row, DateTimeOffset, Row> change, CancellationToken cancel) =>
        (await ReplacedAsync(which, still, change, cancel)).Count;

    private Task<List<Row>> ReplacedAsync(
        Func<IEnumerable<Row>, IEnumerable<Row>> which, Func<Row, bool> still, Func<Row, DateTimeOffset, Row> change, CancellationToken cancel) => Call(() =>
    {
        var now = clock.GetUtcNow();
        return which(table.Rows).ToList().Select(found => Replace(found.Job.Id, row => still(row) ? change(row, now) : null)).OfType<Row>().ToList();
    }, cancel);

    /// <summary>Reads a row and replaces it, again if somebody else did so meanwhile; null when there is nothing to change.</summary>
    private Row? Replace(JobId id, Func<Row, Row?> change)
    {
        while (table.Find(id) is { } item && change(item.Row) is { } after)
        {
            if (!table.TryReplace(item, item with { Row = after }))
                continue;
            changes.Tell(new JobChange(id, !item.Row.IsQueued && after.IsQueued ? after.Job.Queue : null));
            return after;
        }
        return null;
    }
}
