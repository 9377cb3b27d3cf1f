using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The truth about jobs in a PostgreSQL database that several gateways share. Nothing in memory here counts: calls
/// that come together go as one statement, and what each changed is told to this gateway's readers and to the others.
/// </summary>
internal sealed class PostgresJobStore : IJobStore
{
    private const int FoldEvery = 200;

    private static readonly JobError Silent = new(
        ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it.");

    private readonly PostgresJobWrites writes;
    private readonly PostgresTransitions moves;
    private readonly PostgresJobQueries queries;
    private readonly PostgresSignals signals;
    private readonly TimeProvider clock;
    private readonly Batcher<PostgresJobWrites.Adding, IReadOnlyList<AddedJob>> adds;
    private readonly Batcher<PostgresJobWrites.Starting, StartedJob?> starts;
    private readonly Batcher<PostgresJobWrites.Extending, bool> extensions;
    private readonly Batcher<PostgresJobWrites.Ending, EndedAttempt?> ends;
    private readonly Batcher<PostgresTransitions.Retrying, EndedAttempt?> returns;
    private int written;

    public PostgresJobStore(PostgresDatabase database, PostgresSignals signals, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        writes = new PostgresJobWrites(database, signals, clock);
        moves = new PostgresTransitions(database, signals, retries, random, clock);
        queries = new PostgresJobQueries(database, clock);
        this.signals = signals;
        this.clock = clock;
        adds = new(writes.AddAsync);
        starts = new(writes.StartAsync);
        extensions = new(writes.ExtendAsync);
        ends = new(writes.EndAsync);
        returns = new(moves.RetryAsync);
    }

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        if (jobs.Count == 0)
            return [];
        var added = await adds.RunAsync(new([.. jobs.Select(PostgresJobWrites.NewRow.Of)]), cancel);
        await ToldAsync(added.Where(a => a.IsNew).Select(a => a.Job.Id));
        return added;
    }

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => queries.FindAsync(id, cancel);

    public Task<Job?> FindByKeyAsync(string idempotencyKey, CancellationToken cancel) => queries.FindByKeyAsync(idempotencyKey, cancel);

    public Task<Job?> FindCachedAsync(string tenant, string workKey, string modelVersion, CancellationToken cancel) =>
        queries.FindCachedAsync(tenant, workKey, modelVersion, cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => queries.ListAsync(filter, cancel);

    public async Task<StartedJob?> StartAsync(Delivery delivery, string worker, TimeSpan hold, CancellationToken cancel)
    {
        var started = await starts.RunAsync(new(delivery, worker, hold), cancel);
        if (started is not null)
            await ToldAsync([started.Job.Id]);
        return started;
    }

    public Task<bool> ExtendAsync(Lease lease, TimeSpan hold, CancellationToken cancel) => extensions.RunAsync(new(lease, hold), cancel);

    public async Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        var ended = outcome switch
        {
            JobOutcome.Done done => await ends.RunAsync(
                new(lease, JobState.Succeeded, null,
                    JsonSerializer.Serialize(done.Timings, SpotterJson.Default.JobTimings),
                    JsonSerializer.Serialize(done.Result, SpotterJson.Default.VisionResult), done.Output, done.ModelVersion),
                cancel),
            JobOutcome.Reject reject => await ends.RunAsync(
                new(lease, JobState.Failed, PostgresJobRow.ToJson(reject.Error), null, null, null, null), cancel),
            JobOutcome.Retry retry => await returns.RunAsync(
                new(lease, retry), cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
        };
        if (ended is not null)
            await ToldAsync([ended.Id]);
        return ended;
    }

    public async Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel)
    {
        if (await moves.CancelAsync(id, by, cancel))
            await ToldAsync([id]);
        return await queries.FindAsync(id, cancel);
    }

    public async Task<IReadOnlyList<DueJob>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel)
    {
        var redriven = await moves.RedriveAsync(filter, by, cancel);
        await ToldAsync(redriven.Select(j => j.Id));
        return redriven;
    }

    public async Task<int> ExpireAsync(int limit, CancellationToken cancel)
    {
        var late = await moves.ExpireAsync(limit, cancel);
        await ToldAsync(late);
        return late.Count;
    }

    public async Task<IReadOnlyList<EndedAttempt>> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        var ended = await moves.TakeLeasesAsync("($1 IS NULL OR j.worker = $1) ORDER BY j.seq FOR UPDATE", p => p.WithText(worker), error, spendAttempt, cancel);
        await ToldAsync(ended.Select(e => e.Id));
        return ended;
    }

    public async Task<IReadOnlyList<EndedAttempt>> ReapAsync(int limit, CancellationToken cancel)
    {
        var ended = await moves.TakeLeasesAsync(
            "j.leased_until <= $1 ORDER BY j.leased_until LIMIT $2 FOR UPDATE SKIP LOCKED", p => p.With(Microseconds.Now(clock)).With((long)limit), Silent, spendAttempt: true, cancel);
        await ToldAsync(ended.Select(e => e.Id));
        return ended;
    }

    public Task<IReadOnlyList<DueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel) =>
        queries.OverdueAsync(overdue, skip, limit, cancel);

    public Task<JobCounts> CountAsync(string? engine, CancellationToken cancel) => queries.CountAsync(engine, cancel);

    public Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel) => queries.BacklogAsync(cancel);

    public Task<int?> PositionAsync(JobId id, CancellationToken cancel) => queries.PositionAsync(id, cancel);

    public async Task<IReadOnlyList<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        await writes.ExpireImagesAsync(finishedBefore, limit, cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) => writes.PurgeAsync(finishedBefore, limit, cancel);

    public IAsyncEnumerable<JobId> ChangesAsync(CancellationToken cancel) => signals.ChangesAsync(cancel);

    /// <summary>Does what waits, and takes nothing more.</summary>
    public Task StopAsync() => Task.WhenAll(adds.StopAsync(), starts.StopAsync(), extensions.StopAsync(), ends.StopAsync(), returns.StopAsync());

    /// <summary>Tells of changed rows, and now and then folds the tallies that grew with them.</summary>
    private async Task ToldAsync(IEnumerable<JobId> changed)
    {
        signals.Changed(changed);
        if (Interlocked.Increment(ref written) % FoldEvery != 0)
            return;
        try
        {
            await writes.FoldTalliesAsync();
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            // They are as right as before, only longer; the next one will do.
        }
    }
}
