using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The truth about jobs in a PostgreSQL database that several gateways share. Nothing in memory here counts: calls
/// that come together go as one statement, and what each changed is told to this gateway's readers and to the others.
/// </summary>
internal sealed class PostgresJobStore : IJobStore
{
    private const int FoldEvery = 200;

    private static readonly string Expired = PostgresJobRow.ToJson(new JobError(
        ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it."));

    private readonly PostgresJobWrites writes;
    private readonly PostgresJobQueries queries;
    private readonly PostgresSignals signals;
    private readonly TimeProvider clock;
    private readonly CallBatcher<PostgresJobWrites.Adding, IReadOnlyList<AddedJob>> adds;
    private readonly CallBatcher<PostgresJobWrites.Starting, StartedJob?> starts;
    private readonly CallBatcher<PostgresJobWrites.Extending, bool> extensions;
    private readonly CallBatcher<PostgresJobWrites.Ending, EndedAttempt?> ends;
    private readonly CallBatcher<PostgresJobWrites.Retrying, EndedAttempt?> returns;
    private int written;

    public PostgresJobStore(PostgresDatabase database, PostgresSignals signals, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        writes = new PostgresJobWrites(database, retries, random, clock);
        queries = new PostgresJobQueries(database, clock);
        this.signals = signals;
        this.clock = clock;
        adds = new(writes.AddAsync);
        starts = new(writes.StartAsync);
        extensions = new(writes.ExtendAsync);
        ends = new(writes.EndAsync);
        returns = new(writes.RetryAsync);
    }

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        if (jobs.Count == 0)
            return [];
        var options = new string[jobs.Count];
        for (var i = 0; i < options.Length; i++)
            options[i] = JsonSerializer.Serialize(jobs[i].Options, SpotterJson.Default.JobOptions);
        var added = await adds.RunAsync(new(jobs, options), cancel);
        await ToldAsync(added.Where(a => a.IsNew).Select(a => a.Job.Id));
        return added;
    }

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) => queries.FindAsync(id, cancel);

    public Task<Job?> FindByKeyAsync(string idempotencyKey, CancellationToken cancel) => queries.FindByKeyAsync(idempotencyKey, cancel);

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
                    JsonSerializer.Serialize(done.Result, SpotterJson.Default.VisionResult), done.Output),
                cancel),
            JobOutcome.Reject reject => await ends.RunAsync(
                new(lease, JobState.Failed, PostgresJobRow.ToJson(reject.Error), null, null, null), cancel),
            JobOutcome.Retry retry => await returns.RunAsync(
                new(lease, PostgresJobRow.ToJson(retry.Error), retry.SpendAttempt), cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
        };
        if (ended is not null)
            await ToldAsync([ended.Id]);
        return ended;
    }

    public async Task<Job?> CancelAsync(JobId id, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (await OrRefuseAsync(writes.CancelAsync(id)) is not { } cancelled)
            return await queries.FindAsync(id, cancel);
        await ToldAsync([id]);
        return cancelled;
    }

    public async Task<IReadOnlyList<EndedAttempt>> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        var ended = await writes.TakeLeasesAsync("($1 IS NULL OR worker = $1) FOR UPDATE", p => p.WithText(worker), PostgresJobRow.ToJson(error), spendAttempt, cancel);
        await ToldAsync(ended.Select(e => e.Id));
        return ended;
    }

    public async Task<IReadOnlyList<EndedAttempt>> ReapAsync(int limit, CancellationToken cancel)
    {
        var ended = await writes.TakeLeasesAsync(
            "leased_until <= $1 ORDER BY leased_until LIMIT $2 FOR UPDATE SKIP LOCKED", p => p.With(Microseconds.Now(clock)).With((long)limit), Expired, spendAttempt: true, cancel);
        await ToldAsync(ended.Select(e => e.Id));
        return ended;
    }

    public Task<IReadOnlyList<OverdueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel) =>
        queries.OverdueAsync(overdue, skip, limit, cancel);

    public Task<JobCounts> CountAsync(string? engine, CancellationToken cancel) => queries.CountAsync(engine, cancel);

    public Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel) => queries.BacklogAsync(cancel);

    public Task<int?> PositionAsync(JobId id, CancellationToken cancel) => queries.PositionAsync(id, cancel);

    public async Task<IReadOnlyList<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await OrRefuseAsync(writes.ExpireImagesAsync(finishedBefore, limit));
    }

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return OrRefuseAsync(writes.PurgeAsync(finishedBefore, limit));
    }

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

    private static async Task<T> OrRefuseAsync<T>(Task<T> work)
    {
        try
        {
            return await work;
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            throw PostgresFault.ToRefusal(e);
        }
    }
}
