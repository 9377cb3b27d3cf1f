using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>The simplest store there is: rows in memory, one lock around each call. Read this before writing another one.</summary>
internal sealed class InMemoryJobStore(RetrySchedule retries, RandomSource random, TimeProvider clock, InMemoryOutbox? outbox = null) : IJobStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<JobId, Row> rows = [];
    private readonly Dictionary<string, JobId> keys = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Queue, JobPriority Priority), (long Entered, long Left)> lines = [];
    private readonly JobTransitions transitions = new(retries, random);
    private readonly ChangeLog changes = new();
    private long accepted;
    private readonly Dictionary<string, ServedJobs> served = new(StringComparer.Ordinal);
    private long ended;

    public Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel) => Call<IReadOnlyList<AddedJob>>(now =>
    {
        // Looked at before anything is changed: all or none.
        if (jobs.FirstOrDefault(j => Known(j) is null && rows.ContainsKey(j.Id)) is { } twice)
            throw new SpotterException(ErrorCodes.Internal, $"There is a job {twice.Id} already.");
        return [.. jobs.Select(job => Known(job) is { } known ? new AddedJob(known.Job, IsNew: false) : new AddedJob(Add(job, now), IsNew: true))];
    }, cancel);

    public Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel) => Call(now =>
    {
        var levels = request.Levels.ToList();
        var waiting = rows.Values.Where(r => r.MayStart(now) && request.Queues.Contains(r.Job.Queue, StringComparer.Ordinal)).ToList();
        var due = waiting.Where(r => r.Due <= now)
            .OrderBy(r => levels.IndexOf(r.Job.Priority)).ThenBy(r => r.Due).ThenBy(r => r.Number).Take(request.Workers.Count);
        var started = due.Zip(request.Workers, (row, worker) =>
        {
            var job = Put(row, JobTransitions.Take(row, worker, request.Duration, now));
            return new StartedJob(job, new Lease(job.Id, job.Queue, job.FencingToken, job.Attempts, worker));
        }).ToList();
        return new TakenJobs(started, started.Count < request.Workers.Count ? waiting.Where(r => r.Due > now).Min(r => (DateTimeOffset?)r.Due) : null);
    }, cancel);

    public Task<IReadOnlyList<bool>> ExtendAsync(IReadOnlyList<Lease> leases, TimeSpan duration, TimeSpan enough, CancellationToken cancel) =>
        Call<IReadOnlyList<bool>>(now => [.. leases.Select(lease =>
        {
            if (!rows.TryGetValue(lease.Job, out var row) || !row.IsHeldBy(lease))
                return false;
            rows[lease.Job] = row with { LeasedUntil = now + duration };
            return true;
        })], cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel) => Call(now =>
    {
        if (!rows.TryGetValue(lease.Job, out var row) || !row.IsHeldBy(lease))
            return null;
        var next = transitions.Finish(row, outcome, now);
        Put(row, next);
        if (outcome is JobOutcome.Done done)
            served[lease.Queue] = served.GetValueOrDefault(lease.Queue) + ServedJobs.One(done.Timings);
        return new EndedAttempt(lease.Job, next.Job.State, next.IsQueued ? next.Due - now : null);
    }, cancel);

    public Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel) => Call(now =>
        !rows.TryGetValue(id, out var row) ? null : row.Job.State.IsTerminal() ? row.Job : Put(row, JobTransitions.Cancel(row, by, now)), cancel);

    public Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel) =>
        Change(_ => rows.Values.ToRedrive(filter), (row, now) => JobTransitions.Redrive(row, by, now), cancel);

    public Task<int> ExpireAsync(int limit, CancellationToken cancel) =>
        Change(now => rows.Values.Where(r => r.IsQueued && r.Job.Expires <= now).Take(limit), JobTransitions.Expire, cancel);

    public async Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        var lost = new List<Row>();
        await Change(_ => rows.Values.Where(r => r.Job.State == JobState.Running && (worker is null || r.Job.Worker == worker)), (row, now) =>
        {
            lost.Add(transitions.Lose(row, error, spendAttempt, now));
            return lost[^1];
        }, cancel);
        return lost.Lost();
    }

    public Task<int> ReapAsync(int limit, CancellationToken cancel) => Change(now => rows.Values.Where(r => r.Job.State == JobState.Running && r.LeasedUntil <= now).Take(limit),
        (row, now) => transitions.Lose(row, new JobError(ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long."), spendAttempt: true, now), cancel);

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => Call(_ => rows.GetValueOrDefault(id)?.Job, cancel);

    public Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel) => Call(_ => rows.Values.Ids(prefix, tenant), cancel);

    public Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> idempotencyKeys, CancellationToken cancel) =>
        Call(_ => rows.Values.ByKeys(idempotencyKeys), cancel);

    public Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        Call(_ => rows.Values.Cached(tenant, resultCacheKey, modelVersion), cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => Call(_ => rows.Values.List(filter), cancel);

    public Task<StoreCounts> CountAsync(CancellationToken cancel) => Call(now =>
        rows.Values.Count(ended, now, line => lines[line].Left) with { Served = served.ToDictionary() }, cancel);

    public Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> blobs, CancellationToken cancel) =>
        Call<IReadOnlyList<string>>(_ => [.. blobs.Except(rows.Values.SelectMany(r => r.Blobs), StringComparer.Ordinal)], cancel);

    public Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        Call<IReadOnlyList<string>>(_ =>
        {
            var old = rows.Values.Where(r => r.Job.Finished < finishedBefore && !r.Job.InputsExpired).Take(limit).ToList();
            foreach (var row in old)
                Put(row, row with { Job = row.Job with { InputsExpired = true } });
            return [.. old.SelectMany(r => r.Blobs).Except(rows.Values.SelectMany(r => r.Blobs), StringComparer.Ordinal)];
        }, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => Call(_ =>
    {
        var old = rows.Values.Where(r => r.Job.Finished < finishedBefore).Take(limit).ToList();
        foreach (var job in old.Select(r => r.Job))
        {
            rows.Remove(job.Id);
            keys.Remove(job.IdempotencyKey ?? "");
            outbox?.Forget(job.Id);
        }
        return old.Count;
    }, cancel);

    public IAsyncEnumerable<JobChange> ChangesAsync(CancellationToken cancel) => changes.ReadAsync(cancel);

    /// <summary>What every call is: alone, at one moment, and not at all when it was cancelled before.</summary>
    private Task<T> Call<T>(Func<DateTimeOffset, T> call, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
            return Task.FromCanceled<T>(cancel);
        lock (gate)
        {
            try
            {
                return Task.FromResult(call(clock.GetUtcNow()));
            }
            catch (SpotterException refused)
            {
                return Task.FromException<T>(refused);
            }
        }
    }

    /// <summary>Some rows go the same way; their number.</summary>
    private Task<int> Change(Func<DateTimeOffset, IEnumerable<Row>> which, Func<Row, DateTimeOffset, Row> change, CancellationToken cancel) => Call(now =>
    {
        var some = which(now).ToList();
        foreach (var row in some)
            Put(row, change(row, now));
        return some.Count;
    }, cancel);

    private Row? Known(NewJob job) => job.IdempotencyKey is { } key && keys.TryGetValue(key, out var id) ? rows[id] : null;

    private Job Add(NewJob job, DateTimeOffset now)
    {
        if (job.IdempotencyKey is { } key)
            keys.Add(key, job.Id);
        return Put(null, new Row(JobTransitions.Accept(job, now), ++accepted));
    }

    /// <summary>Replaces a row, counts what that changes, and tells it.</summary>
    private Job Put(Row? before, Row row)
    {
        var line = (row.Job.Queue, row.Job.Priority);
        var (entered, left) = lines.GetValueOrDefault(line);
        if (before is { IsQueued: true } && !row.IsQueued)
            lines[line] = (entered, left + 1);
        if (before is not { IsQueued: true } && row.IsQueued)
        {
            lines[line] = (++entered, left);
            row = row with { Job = row.Job with { Ticket = entered } };
        }
        if (before?.Job.State.IsTerminal() != true && row.Job.State.IsTerminal() && !row.Job.Internal)
            ended++;
        rows[row.Job.Id] = row;
        if (before?.Job.State.IsTerminal() != true && row.Job.State.IsTerminal())
            outbox?.Fill(row.Job);
        var waits = before is not { IsQueued: true } && row.IsQueued;
        changes.Tell(new JobChange(row.Job.Id, waits ? row.Job.Queue : null));
        return row.Job;
    }
}
