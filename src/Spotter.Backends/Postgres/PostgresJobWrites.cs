using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Vision;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The statements that change jobs, each for many at a time. Fenced in SQL, and with the tallies in the same statement,
/// so that no two gateways can disagree.
/// </summary>
internal sealed class PostgresJobWrites(PostgresDatabase database, PostgresSignals signals, TimeProvider clock)
{
    /// <summary>The changes of the tallies that follow from rows of <c>moved (engine, model, internal, was, state)</c>; either state may be missing.</summary>
    public const string Tally = """
        tally AS (
            INSERT INTO tallies (engine, model, internal, state, jobs)
            SELECT m.engine, coalesce(m.model, ''), m.internal, s.state, sum(s.change)
            FROM moved m CROSS JOIN LATERAL (VALUES (m.was, -1), (m.state, 1)) AS s (state, change)
            WHERE s.state IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING sum(s.change) <> 0)
        """;

    /// <summary>A call of <see cref="IJobStore.AddAsync"/>.</summary>
    public sealed record Adding(IReadOnlyList<NewRow> Jobs);

    /// <summary>A job to be added, with its JSON.</summary>
    public sealed record NewRow(NewJob Job, string Options, string? Notify, string? Result, string? Timings)
    {
        public JobState State => Job.Cached is null ? JobState.Queued : JobState.Succeeded;

        public static NewRow Of(NewJob job) => new(
            job,
            JsonSerializer.Serialize(job.Options, SpotterJson.Default.JobOptions),
            job.Notify.Count == 0 ? null : JsonSerializer.Serialize(job.Notify, SpotterJson.Default.IReadOnlyListJobNotification),
            job.Cached is null ? null : JsonSerializer.Serialize(job.Cached.Result, SpotterJson.Default.VisionResult),
            job.Cached is null ? null : JsonSerializer.Serialize(new JobTimings(), SpotterJson.Default.JobTimings));
    }

    /// <summary>A call of <see cref="IJobStore.StartAsync"/>.</summary>
    public sealed record Starting(Delivery Delivery, string Worker, TimeSpan Hold);

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that ends the job.</summary>
    public sealed record Ending(Lease Lease, JobState State, string? Error, string? Timings, string? Result, string? Output, string? ModelVersion);

    /// <summary>A call of <see cref="IJobStore.ExtendAsync"/>.</summary>
    public sealed record Extending(Lease Lease, TimeSpan Hold);

    public async Task<IReadOnlyList<AddedJob>[]> AddAsync(IReadOnlyList<Adding> calls)
    {
        var now = Microseconds.Now(clock);
        var rows = calls.SelectMany(c => c.Jobs).ToList();
        var inserted = await database.CommitAsync(
            $"""
            WITH added AS (
                INSERT INTO jobs AS j (id, engine, internal, due, created, model, queue, idempotency_key, fingerprint,
                    image_key, image_format, image_bytes, image_sha256, options, name,
                    tenant, submitted_by, priority, not_before, expires, notify, work_key,
                    state, started, finished, answered_from, result, timings, model_version)
                SELECT i.id, i.engine, i.internal, greatest($1, i.not_before), $1, i.model, i.queue, i.key, i.print,
                    i.image, i.format, i.bytes, i.sha, i.options, i.name,
                    i.tenant, i.by, i.priority, i.not_before, i.expires, i.notify, i.work_key,
                    i.state, CASE WHEN i.state >= 2 THEN $1 END, CASE WHEN i.state >= 2 THEN $1 END, i.answer, i.result, i.timings, i.version
                FROM unnest($2::uuid[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::smallint[],
                    $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::smallint[], $18::bigint[], $19::bigint[],
                    $20::text[], $21::text[], $22::smallint[], $23::uuid[], $24::text[], $25::text[], $26::text[])
                    WITH ORDINALITY AS i (id, engine, internal, model, queue, key, print, image, format, bytes, sha, options, name,
                        tenant, by, priority, not_before, expires, notify, work_key, state, answer, result, timings, version, ord)
                ORDER BY i.ord
                ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
                RETURNING {PostgresJobRow.Columns}),
            moved AS (SELECT engine, model, internal, NULL::smallint AS was, state FROM added),
            {Tally}
            SELECT * FROM added
            """,
            p => p.With(now)
                .With(Column(rows, r => r.Job.Id.ToGuid())).With(Column(rows, r => r.Job.Engine)).With(Column(rows, r => r.Job.Internal))
                .With(Column(rows, r => r.Job.Model)).With(Column(rows, r => QueueNames.Of(r.Job.Engine, r.Job.Model)))
                .With(Column(rows, r => r.Job.IdempotencyKey)).With(Column(rows, r => r.Job.Fingerprint))
                .With(Column(rows, r => r.Job.Image.Key)).With(Column(rows, r => (short)r.Job.Image.Format)).With(Column(rows, r => r.Job.Image.Bytes))
                .With(Column(rows, r => r.Job.Image.Sha256)).With(Column(rows, r => r.Options)).With(Column(rows, r => r.Job.Name))
                .With(Column(rows, r => r.Job.Tenant)).With(Column(rows, r => r.Job.By)).With(Column(rows, r => (short)r.Job.Priority))
                .With(Column(rows, r => MicrosecondsOrNull(r.Job.NotBefore))).With(Column(rows, r => MicrosecondsOrNull(r.Job.Expires)))
                .With(Column(rows, r => r.Notify)).With(Column(rows, r => r.Job.ResultCacheKey))
                .With(Column(rows, r => (short)r.State)).With(Column(rows, r => r.Job.Cached?.From.ToGuid()))
                .With(Column(rows, r => r.Result)).With(Column(rows, r => r.Timings)).With(Column(rows, r => r.Job.Cached?.ModelVersion)),
            async r => (await r.ListAsync(PostgresJobRow.Read)).ToDictionary(j => j.Id));
        if (inserted.Values.Any(j => j.State.IsTerminal() && j.Notify.Count > 0))
            signals.FilledOutbox();

        var keys = rows.Where(r => !inserted.ContainsKey(r.Job.Id)).Select(r => r.Job.IdempotencyKey!).Distinct(StringComparer.Ordinal).ToArray();
        var known = keys.Length == 0 ? [] : await KnownAsync(keys);
        return Map(calls, call => (IReadOnlyList<AddedJob>)Map(call.Jobs, row =>
        {
            if (inserted.TryGetValue(row.Job.Id, out var added))
                return new AddedJob(added, IsNew: true);
            return known.TryGetValue(row.Job.IdempotencyKey!, out var there)
                ? new AddedJob(there, IsNew: false)
                : throw new SpotterException(ErrorCodes.Busy, "The job with this idempotency key was being deleted; send the request again.");
        }));
    }

    public async Task<StartedJob?[]> StartAsync(IReadOnlyList<Starting> calls)
    {
        var now = Microseconds.Now(clock);
        var started = new StartedJob?[calls.Count];
        await database.CommitAsync(
            $"""
            WITH started AS (
                UPDATE jobs j SET state = 1, epoch = j.epoch + 1, attempts = j.attempts + 1, started = $1, leased_until = i.until, worker = i.worker
                FROM unnest($2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY AS i (id, worker, until, ord)
                WHERE j.id = i.id AND j.state = 0 AND j.due <= $1 AND (j.expires IS NULL OR j.expires > $1)
                RETURNING i.ord, {PostgresJobRow.Columns}),
            moved AS (SELECT engine, model, internal, 0::smallint AS was, state FROM started),
            {Tally}
            SELECT * FROM started
            """,
            p => p.With(now).With(Column(calls, c => c.Delivery.Job.ToGuid())).With(Column(calls, c => c.Worker))
                .With(Column(calls, c => now + Microseconds.From(c.Hold))),
            async r =>
            {
                while (await r.ReadAsync())
                {
                    var at = (int)r.GetInt64(0) - 1;
                    var (job, call) = (PostgresJobRow.Read(r, 1), calls[at]);
                    started[at] = new StartedJob(
                        job, new Lease(job.Id, call.Delivery.Queue, job.FencingToken, job.Attempts, call.Worker, call.Delivery.Receipt));
                }
                return true;
            });
        return started;
    }

    public Task<bool[]> ExtendAsync(IReadOnlyList<Extending> calls)
    {
        var now = Microseconds.Now(clock);
        return database.ApplyAsync(
            """
            UPDATE jobs j SET leased_until = i.until FROM unnest($1::uuid[], $2::integer[], $3::bigint[]) WITH ORDINALITY AS i (id, epoch, until, ord)
            WHERE j.id = i.id AND j.epoch = i.epoch AND j.state = 1 RETURNING i.ord
            """,
            p => p.With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.FencingToken)).With(Column(calls, c => now + Microseconds.From(c.Hold))),
            async r =>
            {
                var held = new bool[calls.Count];
                while (await r.ReadAsync())
                    held[r.GetInt64(0) - 1] = true;
                return held;
            });
    }

    public async Task<EndedAttempt?[]> EndAsync(IReadOnlyList<Ending> calls)
    {
        var ended = new EndedAttempt?[calls.Count];
        var notifies = false;
        await database.CommitAsync(
            $"""
            WITH moved AS (
                UPDATE jobs j SET state = i.state, finished = $1, leased_until = NULL,
                    error = i.error, timings = i.timings, result = i.result, output = i.output, model_version = i.version
                FROM unnest($2::uuid[], $3::integer[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
                    WITH ORDINALITY AS i (id, epoch, state, error, timings, result, output, version, ord)
                WHERE j.id = i.id AND j.epoch = i.epoch AND j.state = 1
                RETURNING i.ord, j.engine, j.model, j.internal, 1::smallint AS was, j.state, j.queue, j.priority, j.notify IS NOT NULL AS notifies),
            {Tally}
            SELECT ord, queue, priority, notifies FROM moved
            """,
            p => p.With(Microseconds.Now(clock)).With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.FencingToken))
                .With(Column(calls, c => (short)c.State)).With(Column(calls, c => c.Error)).With(Column(calls, c => c.Timings))
                .With(Column(calls, c => c.Result)).With(Column(calls, c => c.Output)).With(Column(calls, c => c.ModelVersion)),
            async r =>
            {
                while (await r.ReadAsync())
                {
                    var at = (int)r.GetInt64(0) - 1;
                    ended[at] = new EndedAttempt(calls[at].Lease.Job, r.GetString(1), (JobPriority)r.GetInt16(2), calls[at].State, null);
                    notifies |= r.GetBoolean(3);
                }
                return true;
            });
        if (notifies)
            signals.FilledOutbox();
        return ended;
    }

    /// <summary>Makes few rows of the many that have come to be in the tallies; only one gateway does so at a time.</summary>
    public Task FoldTalliesAsync() =>
        database.ApplyAsync(
            """
            WITH alone AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' tallies of spotter', 0)) AS ours),
            gone AS (DELETE FROM tallies WHERE (SELECT alone.ours FROM alone) RETURNING engine, model, internal, state, jobs)
            INSERT INTO tallies (engine, model, internal, state, jobs)
            SELECT engine, model, internal, state, sum(jobs) FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(jobs) <> 0
            """,
            _ => { }, _ => Task.FromResult(true));

    public Task<List<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.WriteAsync(
            """
            WITH old AS MATERIALIZED (
                SELECT id FROM jobs WHERE finished IS NOT NULL AND NOT expired AND finished < $1 ORDER BY finished LIMIT $2 FOR UPDATE SKIP LOCKED)
            UPDATE jobs j SET expired = true FROM old WHERE j.id = old.id RETURNING j.image_key, j.output
            """,
            p => p.With(Microseconds.From(finishedBefore)).With((long)limit),
            async r =>
            {
                var keys = new List<string>();
                while (await r.ReadAsync())
                {
                    keys.Add(r.GetString(0));
                    if (r.TextOrNull(1) is { } output)
                        keys.Add(output);
                }
                return keys;
            },
            cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.WriteAsync(
            $"""
            WITH old AS MATERIALIZED (
                SELECT id FROM jobs WHERE finished IS NOT NULL AND expired IN (false, true) AND finished < $1 LIMIT $2 FOR UPDATE SKIP LOCKED),
            moved AS (
                DELETE FROM jobs j USING old WHERE j.id = old.id
                RETURNING j.engine, j.model, j.internal, j.state AS was, NULL::smallint AS state),
            {Tally}
            SELECT count(*)::integer FROM moved
            """,
            p => p.With(Microseconds.From(finishedBefore)).With((long)limit),
            async r => await r.ReadAsync() ? r.GetInt32(0) : 0,
            cancel);

    private Task<Dictionary<string, Job>> KnownAsync(string[] keys) =>
        database.CommitAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.idempotency_key = ANY($1)",
            p => p.With(keys),
            async r =>
            {
                var rows = await r.ListAsync(PostgresJobRow.Read);
                return rows.ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal);
            });

    private static long? MicrosecondsOrNull(DateTimeOffset? time) => time is { } given ? Microseconds.From(given) : null;

    private static TValue[] Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value) => Map(items, value);

    private static TValue[] Map<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = value(items[i]);
        return values;
    }
}
