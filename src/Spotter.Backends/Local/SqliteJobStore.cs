using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The truth about jobs in a SQLite file. Every change is one unit of work of the file's writer and fenced in SQL,
/// so that no two of them can disagree.
/// </summary>
internal sealed class SqliteJobStore : IJobStore
{
    /// <summary>Changes that a slow reader may be behind before it misses some.</summary>
    private const int ChangesBehind = 4096;

    private readonly SqliteDatabase database;
    private readonly RetrySchedule retries;
    private readonly RandomSource random;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private Channel<JobId>[] readers = [];

    public SqliteJobStore(SqliteDatabase database, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        this.database = database;
        this.retries = retries;
        this.random = random;
        this.clock = clock;
        database.Writer.WhenCommitted(Publish);
    }

    public async Task<IReadOnlyList<AddedJob>> AddAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        var inserts = jobs.Select(NewRow.Of).ToArray();
        var rows = await database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                return Array.ConvertAll(inserts, job => Add(scope, job, now));
            },
            cancel,
            needsSavepoint: jobs.Count > 1);
        return Array.ConvertAll(rows, r => new AddedJob(r.Row.ToJob(), r.IsNew));
    }

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) =>
        ReadJobAsync(
            connection => connection.Prepare($"SELECT {JobRow.Columns} FROM jobs WHERE id = ?1").Bind(1, id), cancel);

    public Task<Job?> FindByKeyAsync(string idempotencyKey, CancellationToken cancel) =>
        ReadJobAsync(
            connection => connection.Prepare(ByKey).Bind(1, idempotencyKey), cancel);

    public Task<Job?> FindCachedAsync(string tenant, string workKey, string modelVersion, CancellationToken cancel) =>
        ReadJobAsync(
            connection => connection.Prepare($"""
                SELECT {JobRow.Columns} FROM jobs INDEXED BY jobs_answers
                WHERE state = 2 AND work_key IS NOT NULL AND answered_from IS NULL AND work_key = ?1 AND tenant = ?2 AND model_version = ?3
                ORDER BY seq DESC LIMIT 1
                """).Bind(1, workKey).Bind(2, tenant).Bind(3, modelVersion),
            cancel);

    public async Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel)
    {
        var rows = await database.ReadAsync(connection => JobQueries.List(connection, filter), cancel);
        return rows.ConvertAll(r => r.ToJob());
    }

    public async Task<StartedJob?> StartAsync(Delivery delivery, string worker, TimeSpan hold, CancellationToken cancel)
    {
        var row = await database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
#if PLANTED_BUGS
                var free = PlantedBug.Is("take-without-hiding") ? "state IN (0, 1)" : "state = 0";
#else
                const string free = "state = 0";
#endif
                using var update = scope.Prepare($"""
                    UPDATE jobs SET state = 1, epoch = epoch + 1, attempts = attempts + 1,
                        started = ?2, leased_until = ?3, worker = ?4
                    WHERE id = ?1 AND {free} AND due <= ?2 AND (expires IS NULL OR expires > ?2)
                    RETURNING {JobRow.Columns}
                    """).Bind(1, delivery.Job).Bind(2, now).Bind(3, now + Microseconds.From(hold)).Bind(4, worker);
                if (!update.Step())
                    return null;
                var started = JobRow.Read(update);
                Note(scope, started.Id, started.Engine, started.Model, started.Internal, JobState.Queued, JobState.Running);
                return started;
            },
            cancel);
        return row is null
            ? null
            : new StartedJob(
                row.ToJob(), new Lease(row.Id, delivery.Queue, row.FencingToken, row.Attempts, worker, delivery.Receipt));
    }

    public Task<bool> ExtendAsync(Lease lease, TimeSpan hold, CancellationToken cancel) =>
        database.ApplyAsync(
            scope => scope.Prepare("UPDATE jobs SET leased_until = ?3 WHERE id = ?1 AND epoch = ?2 AND state = 1")
                .Bind(1, lease.Job).Bind(2, lease.FencingToken).Bind(3, Microseconds.Now(clock) + Microseconds.From(hold))
                .Run() > 0,
            cancel);

    public Task<EndedAttempt?> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        switch (outcome)
        {
            case JobOutcome.Done done:
                var result = JsonSerializer.SerializeToUtf8Bytes(done.Result, SpotterJson.Default.VisionResult);
                var timings = JsonSerializer.SerializeToUtf8Bytes(done.Timings, SpotterJson.Default.JobTimings);
                return database.CommitAsync(
                    scope => End(scope, lease, JobState.Succeeded, null, timings, result, done.Output, done.ModelVersion), cancel);
            case JobOutcome.Reject reject:
                var error = ToJson(reject.Error);
                return database.CommitAsync(
                    scope => End(scope, lease, JobState.Failed, error, null, null, null, null), cancel);
            case JobOutcome.Retry retry:
                return database.CommitAsync(scope => EndForRetry(scope, lease, retry), cancel);
            default:
                throw new ArgumentOutOfRangeException(nameof(outcome));
        }
    }

    public async Task<Job?> CancelAsync(JobId id, string? by, CancellationToken cancel)
    {
        await database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                LockedRow row;
#if PLANTED_BUGS
                var live = PlantedBug.Is("end-overwritten") ? "0, 1, 2" : "0, 1";
#else
                const string live = "0, 1";
#endif
                using (var select = scope.Prepare($"SELECT {LockedRow.Columns} FROM jobs WHERE id = ?1 AND state IN ({live})").Bind(1, id))
                {
                    if (!select.Step())
                        return false;
                    row = LockedRow.Read(select);
                }
                scope.Prepare("UPDATE jobs SET state = 5, finished = ?2, leased_until = NULL, history = ?3 WHERE seq = ?1")
                    .Bind(1, row.Seq).Bind(2, now)
                    .BindText(3, row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Cancelled, row.RunningAttempt, row.Worker, by, null)))
                    .Run();
                Note(scope, row, JobState.Cancelled);
                return true;
            },
            cancel);
        return await FindAsync(id, cancel);
    }

    public Task<IReadOnlyList<DueJob>> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel)
    {
        var ids = filter.Ids is { } wanted ? JsonSerializer.SerializeToUtf8Bytes(wanted.Select(i => i.Value).ToArray(), SpotterJson.Default.StringArray) : null;
        return database.CommitAsync<IReadOnlyList<DueJob>>(
            scope =>
            {
                var now = Microseconds.Now(clock);
                var dead = new List<LockedRow>();
                using (var select = scope.Prepare($"""
                    SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_unlucky
                    WHERE state >= 3 AND state = 4 AND expired = 0
                        AND (?1 IS NULL OR lower(hex(id)) IN (SELECT value FROM json_each(?1)))
                        AND (?2 IS NULL OR json_extract(error, '$.code') = ?2) AND (?3 IS NULL OR tenant = ?3)
                    ORDER BY seq LIMIT ?4
                    """).BindText(1, ids).Bind(2, filter.Error).Bind(3, filter.Tenant).Bind(4, filter.Limit))
                {
                    while (select.Step())
                        dead.Add(LockedRow.Read(select));
                }
                foreach (var row in dead)
                {
                    scope.Prepare("""
                        UPDATE jobs SET state = 0, attempts = 0, due = ?2, expires = NULL, finished = NULL, redrives = redrives + 1, history = ?3
                        WHERE seq = ?1
                        """)
                        .Bind(1, row.Seq).Bind(2, now)
                        .BindText(3, row.HistoryWith(new(Microseconds.ToTime(now), JobEventKind.Redriven, 0, null, by, row.Error)))
                        .Run();
                    Note(scope, row, JobState.Queued);
                }
                return dead.ConvertAll(row => new DueJob(row.Id, row.Queue, row.Priority));
            },
            cancel,
            needsSavepoint: true);
    }

    public Task<int> ExpireAsync(int limit, CancellationToken cancel)
    {
        var error = ToJson(new JobError(ErrorCodes.Expired, "Nobody had started the job by the time that its sender had set."));
        return database.CommitAsync(
            scope =>
            {
                var now = Microseconds.Now(clock);
                var late = new List<LockedRow>();
                using (var select = scope.Prepare($"""
                    SELECT {LockedRow.Columns} FROM jobs WHERE seq IN (
                        SELECT seq FROM jobs INDEXED BY jobs_queued WHERE state = 0 AND expires <= ?1 LIMIT ?2)
                    """).Bind(1, now).Bind(2, limit))
                {
                    while (select.Step())
                        late.Add(LockedRow.Read(select));
                }
                foreach (var row in late)
                {
                    scope.Prepare("UPDATE jobs SET state = 3, finished = ?2, error = ?3 WHERE seq = ?1")
                        .Bind(1, row.Seq).Bind(2, now).BindText(3, error).Run();
                    Note(scope, row, JobState.Failed);
                }
                return late.Count;
            },
            cancel,
            needsSavepoint: true);
    }

    public Task<IReadOnlyList<EndedAttempt>> ReleaseAsync(
        string? worker, JobError error, bool spendAttempt, CancellationToken cancel)
    {
        return database.CommitAsync<IReadOnlyList<EndedAttempt>>(
            scope =>
            {
                var held = new List<LockedRow>();
                using (var select = scope.Prepare($"""
                    SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_running
                    WHERE state = 1 AND (?1 IS NULL OR worker = ?1) ORDER BY seq
                    """).Bind(1, worker))
                {
                    while (select.Step())
                        held.Add(LockedRow.Read(select));
                }
                return TakeLeases(scope, held, error, spendAttempt);
            },
            cancel,
            needsSavepoint: true);
    }

    public Task<IReadOnlyList<EndedAttempt>> ReapAsync(int limit, CancellationToken cancel)
    {
        var reason = new JobError(
            ErrorCodes.LeaseExpired, "The worker gave no sign of life for too long, so its lease was taken from it.");
#if PLANTED_BUGS
        if (PlantedBug.Is("leases-never-end"))
            return Task.FromResult<IReadOnlyList<EndedAttempt>>([]);
#endif
        return database.CommitAsync<IReadOnlyList<EndedAttempt>>(
            scope =>
            {
                var held = new List<LockedRow>();
                using (var select = scope.Prepare($"""
                    SELECT {LockedRow.Columns} FROM jobs INDEXED BY jobs_running
                    WHERE state = 1 AND leased_until <= ?1 ORDER BY leased_until LIMIT ?2
                    """).Bind(1, Microseconds.Now(clock)).Bind(2, limit))
                {
                    while (select.Step())
                        held.Add(LockedRow.Read(select));
                }
                return TakeLeases(scope, held, reason, spendAttempt: true);
            },
            cancel,
            needsSavepoint: true);
    }

    public Task<IReadOnlyList<DueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel) =>
        database.ReadAsync(
            connection => JobQueries.Overdue(connection, Microseconds.Now(clock) - Microseconds.From(overdue), skip, limit), cancel);

    public Task<JobCounts> CountAsync(string? engine, CancellationToken cancel) =>
        database.ReadAsync(connection => JobQueries.Count(connection, engine), cancel);

    public Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel) =>
        database.ReadAsync(JobQueries.Backlog, cancel);

    public Task<int?> PositionAsync(JobId id, CancellationToken cancel) =>
        database.ReadAsync(connection => JobQueries.Position(connection, id), cancel);

    public Task<IReadOnlyList<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.CommitAsync<IReadOnlyList<string>>(
            scope =>
            {
                var keys = new List<string>();
                using var update = scope.Prepare("""
                    UPDATE jobs SET expired = 1 WHERE seq IN (
                        SELECT seq FROM jobs INDEXED BY jobs_ended
                        WHERE finished IS NOT NULL AND expired = 0 AND finished < ?1 ORDER BY finished LIMIT ?2)
                    RETURNING image_key, output
                    """).Bind(1, Microseconds.From(finishedBefore)).Bind(2, limit);
                while (update.Step())
                {
                    keys.Add(update.Text(0));
                    if (update.TextOrNull(1) is { } output)
                        keys.Add(output);
                }
                return keys;
            },
            cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.CommitAsync(
            scope =>
            {
                var purged = 0;
                using var delete = scope.Prepare("""
                    DELETE FROM jobs WHERE seq IN (
                        SELECT seq FROM jobs INDEXED BY jobs_ended
                        WHERE finished IS NOT NULL AND expired IN (0, 1) AND finished < ?1 LIMIT ?2)
                    RETURNING engine, model, internal, state
                    """).Bind(1, Microseconds.From(finishedBefore)).Bind(2, limit);
                for (; delete.Step(); purged++)
                    scope.Moved(delete.Text(0), delete.TextOrNull(1), delete.Bool(2), (JobState)delete.Int(3), null);
                return purged;
            },
            cancel);

    public async IAsyncEnumerable<JobId> ChangesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var changes = Channel.CreateBounded<JobId>(
            new BoundedChannelOptions(ChangesBehind) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true });
        lock (gate)
            readers = [.. readers, changes];
        try
        {
            await foreach (var id in changes.Reader.ReadAllAsync(cancel))
                yield return id;
        }
        finally
        {
            lock (gate)
                readers = [.. readers.Where(r => r != changes)];
        }
    }

    private const string ByKey = $"SELECT {JobRow.Columns} FROM jobs WHERE idempotency_key = ?1";

    private static byte[] ToJson(JobError error) => JsonSerializer.SerializeToUtf8Bytes(error, SpotterJson.Default.JobError);

    private static void Note(WriteScope scope, JobId id, string engine, string? model, bool isInternal, JobState? from, JobState to)
    {
        scope.Moved(engine, model, isInternal, from, to);
        scope.Changed(id);
    }

    private static void Note(WriteScope scope, LockedRow row, JobState to) =>
        Note(scope, row.Id, row.Engine, row.Model, row.Internal, row.State, to);

    private static (JobRow Row, bool IsNew) Add(WriteScope scope, NewRow row, long now)
    {
        var job = row.Job;
#if PLANTED_BUGS
        if (PlantedBug.Is("key-forgotten"))
            job = job with { IdempotencyKey = null };
#endif
        if (job.IdempotencyKey is { } key)
        {
            using var select = scope.Prepare(ByKey).Bind(1, key);
            if (select.Step())
                return (JobRow.Read(select), false);
        }
        var state = job.Cached is null ? JobState.Queued : JobState.Succeeded;
        JobRow added;
        using (var insert = scope.Prepare($"""
            INSERT INTO jobs (id, engine, internal, due, created, model, idempotency_key, fingerprint,
                image_key, image_format, image_bytes, image_sha256, options, name,
                tenant, submitted_by, priority, not_before, expires, notify, work_key,
                state, started, finished, answered_from, result, timings, model_version)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?23, ?24, ?25, ?26, ?27)
            RETURNING {JobRow.Columns}
            """)
            .Bind(1, job.Id).Bind(2, job.Engine).Bind(3, job.Internal ? 1 : 0)
            .Bind(4, job.NotBefore is { } start ? Math.Max(now, Microseconds.From(start)) : now).Bind(5, now)
            .Bind(6, job.Model).Bind(7, job.IdempotencyKey).Bind(8, job.Fingerprint)
            .Bind(9, job.Image.Key).Bind(10, (int)job.Image.Format).Bind(11, job.Image.Bytes).Bind(12, job.Image.Sha256)
            .BindText(13, row.Options).Bind(14, job.Name)
            .Bind(15, job.Tenant).Bind(16, job.By).Bind(17, (int)job.Priority)
            .Bind(18, MicrosecondsOrNull(job.NotBefore)).Bind(19, MicrosecondsOrNull(job.Expires))
            .BindText(20, row.Notify).Bind(21, job.ResultCacheKey)
            .Bind(22, (int)state).Bind(23, state == JobState.Queued ? null : now)
            .BindText(25, row.Result).BindText(26, row.Timings).Bind(27, job.Cached?.ModelVersion))
        {
            if (job.Cached is { } answer)
                insert.Bind(24, answer.From);
            else
                insert.BindNull(24);
            insert.Step();
            added = JobRow.Read(insert);
        }
        Note(scope, job.Id, job.Engine, job.Model, job.Internal, null, state);
        return (added, true);
    }

    private EndedAttempt? End(
        WriteScope scope, Lease lease, JobState state, byte[]? error, byte[]? timings, byte[]? result, string? output, string? modelVersion)
    {
#if PLANTED_BUGS
        var fence = PlantedBug.Is("fence-dropped") ? "?2 > 0" : "epoch = ?2 AND state = 1";
#else
        const string fence = "epoch = ?2 AND state = 1";
#endif
        using var update = scope.Prepare($"""
            UPDATE jobs SET state = ?3, finished = ?4, leased_until = NULL,
                error = ?5, timings = ?6, result = ?7, output = ?8, model_version = ?9
            WHERE id = ?1 AND {fence}
            RETURNING engine, model, internal, priority
            """)
            .Bind(1, lease.Job).Bind(2, lease.FencingToken).Bind(3, (int)state).Bind(4, Microseconds.Now(clock))
            .BindText(5, error).BindText(6, timings).BindText(7, result).Bind(8, output).Bind(9, modelVersion);
        if (!update.Step())
            return null;
        var (engine, model) = (update.Text(0), update.TextOrNull(1));
        Note(scope, lease.Job, engine, model, update.Bool(2), JobState.Running, state);
        return new EndedAttempt(lease.Job, QueueNames.Of(engine, model), (JobPriority)update.Int(3), state, null);
    }

    private EndedAttempt? EndForRetry(WriteScope scope, Lease lease, JobOutcome.Retry retry)
    {
        LockedRow held;
        using (var select = scope.Prepare($"SELECT {LockedRow.Columns} FROM jobs WHERE id = ?1 AND epoch = ?2 AND state = 1")
            .Bind(1, lease.Job).Bind(2, lease.FencingToken))
        {
            if (!select.Step())
                return null;
            held = LockedRow.Read(select);
        }
        return EndForRetry(scope, held, JobEventKind.Retried, retry.Error, retry.SpendAttempt, died: retry.TakesWorker);
    }

    private List<EndedAttempt> TakeLeases(WriteScope scope, List<LockedRow> held, JobError error, bool spendAttempt) =>
        held.ConvertAll(row => EndForRetry(scope, row, JobEventKind.Lost, error, spendAttempt, died: spendAttempt));

    /// <summary>The attempt has failed: to be tried again, or dead when there are no more attempts.</summary>
    private EndedAttempt EndForRetry(WriteScope scope, LockedRow held, JobEventKind kind, JobError error, bool spendAttempt, bool died)
    {
        var now = Microseconds.Now(clock);
#if PLANTED_BUGS
        spendAttempt &= !PlantedBug.Is("death-is-free");
#endif
        var wanted = spendAttempt ? retries.DelayAfter(held.Attempts, random, died) : retries.FreeDelay;
        long? delay = wanted is { } span ? Microseconds.From(span) : null;
        var state = delay is null ? JobState.Dead : JobState.Queued;
        scope.Prepare("""
            UPDATE jobs SET state = ?2, finished = ?3, due = ?4, attempts = ?5, solo = solo OR ?6, error = ?7,
                leased_until = NULL, history = ?8
            WHERE seq = ?1
            """)
            .Bind(1, held.Seq).Bind(2, (int)state).Bind(3, delay is null ? now : null)
            .Bind(4, now + (delay ?? 0)).Bind(5, spendAttempt ? held.Attempts : held.Attempts - 1)
            .Bind(6, died ? 1 : 0).BindText(7, ToJson(error))
            .BindText(8, held.HistoryWith(new(Microseconds.ToTime(now), kind, held.Attempts, held.Worker, null, error)))
            .Run();
        Note(scope, held, state);
        return new EndedAttempt(held.Id, held.Queue, held.Priority, state, delay is { } wait ? TimeSpan.FromMicroseconds(wait) : null);
    }

    private static long? MicrosecondsOrNull(DateTimeOffset? time) => time is { } given ? Microseconds.From(given) : null;

    private async Task<Job?> ReadJobAsync(Func<SqliteConnection, SqliteStatement> query, CancellationToken cancel)
    {
        var row = await database.ReadAsync(
            connection =>
            {
                using var select = query(connection);
                return select.Step() ? JobRow.Read(select) : null;
            },
            cancel);
        return row?.ToJob();
    }

    private void Publish(IReadOnlyList<JobId> changed)
    {
        foreach (var reader in Volatile.Read(ref readers))
        {
            foreach (var id in changed)
                reader.Writer.TryWrite(id);
        }
    }

    /// <summary>A job to be added, its JSON made before the writer's turn.</summary>
    private sealed record NewRow(NewJob Job, byte[] Options, byte[]? Notify, byte[]? Result, byte[]? Timings)
    {
        public static NewRow Of(NewJob job) => new(
            job,
            JsonSerializer.SerializeToUtf8Bytes(job.Options, SpotterJson.Default.JobOptions),
            job.Notify.Count == 0 ? null : JsonSerializer.SerializeToUtf8Bytes(job.Notify, SpotterJson.Default.IReadOnlyListJobNotification),
            job.Cached is null ? null : JsonSerializer.SerializeToUtf8Bytes(job.Cached.Result, SpotterJson.Default.VisionResult),
            job.Cached is null ? null : JsonSerializer.SerializeToUtf8Bytes(new JobTimings(), SpotterJson.Default.JobTimings));
    }
}
