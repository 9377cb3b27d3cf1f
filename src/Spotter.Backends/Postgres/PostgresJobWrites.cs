using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The statements that change jobs, each for many at a time. Fenced in SQL, and with the tallies in the same statement,
/// so that no two gateways can disagree.
/// </summary>
internal sealed class PostgresJobWrites(PostgresDatabase database, PostgresSignals signals, TimeProvider clock)
{
    /// <summary>The state of a job that is found by its id: as a parameter, so that the planner doesn't go by the index of all that run.</summary>
    public const short RunningState = (short)JobState.Running;

    // What OutputColumn writes; all in it is ASCII without controls, which PostgreSQL's JSON functions read.
    private const string OutputKeys =
        "CASE WHEN left(output, 1) = '[' THEN ARRAY(SELECT o ->> 'key' FROM json_array_elements(output::json) AS o) ELSE ARRAY[output] END";

    /// <summary>A call of <see cref="IJobStore.AddAsync"/>.</summary>
    public sealed record Adding(IReadOnlyList<NewRow> Jobs);

    /// <summary>A job to be added, with its JSON.</summary>
    public sealed record NewRow(NewJob Job, string Spec, string? Notify, string? Timings)
    {
        public JobState State => Job.Cached is null ? JobState.Queued : JobState.Succeeded;

        public static NewRow Of(NewJob job) => new(
            job,
            JsonSerializer.Serialize(job.Spec, SpotterJson.Default.JobSpec),
            job.Notify.Count == 0 ? null : JsonSerializer.Serialize(job.Notify, SpotterJson.Default.IReadOnlyListJobNotification),
            job.Cached is null ? null : JsonSerializer.Serialize(new JobTimings(), SpotterJson.Default.JobTimings));
    }

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that ends the job.</summary>
    public sealed record Ending(Lease Lease, JobState State, JobError? Error, string? Timings, string? Result, string? Output, string? ModelVersion, double? Seconds = null);

    /// <summary>A call of <see cref="IJobStore.ExtendAsync"/>.</summary>
    public sealed record Extending(IReadOnlyList<Lease> Leases, TimeSpan Duration);

    /// <summary>What became of each job; null for one whose key an earlier job has that can't be read now.</summary>
    public async Task<IReadOnlyList<AddedJob?>[]> AddAsync(IReadOnlyList<Adding> calls)
    {
        var now = Microseconds.Now(clock);
        var rows = calls.SelectMany(c => c.Jobs).ToList();
        var inserted = await database.CommitAsync(
            $"""
            WITH {PostgresTransitions.Lines},
            added AS (
                INSERT INTO jobs AS j (id, engine, queue, priority, internal, due, expires, created, spec, input_keys, ticket, idempotency_key, fingerprint,
                    tenant, submitted_by, notify, result_cache_key,
                    state, started, finished, cached_from, result, timings, model_version, output)
                SELECT i.id, i.engine, i.queue, i.priority, i.internal, greatest($1, i.not_before), i.expires, $1, i.spec, string_to_array(i.input_keys, ' '),
                    CASE i.state WHEN 0 THEN coalesce(l.entered, 0) + row_number() OVER (PARTITION BY i.queue, i.priority, i.state ORDER BY i.ord) ELSE 0 END,
                    i.key, i.print, i.tenant, i.by, i.notify, i.cache_key,
                    i.state, CASE WHEN i.state >= 2 THEN $1 END, CASE WHEN i.state >= 2 THEN $1 END, i.cached_from, i.result, i.timings, i.version, i.output
                FROM unnest($2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::boolean[], $7::bigint[], $8::bigint[], $9::text[], $10::text[],
                    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::smallint[], $18::uuid[],
                    $19::text[], $20::text[], $21::text[], $22::text[])
                    WITH ORDINALITY AS i (id, engine, queue, priority, internal, not_before, expires, spec, input_keys, key,
                        print, tenant, by, notify, cache_key, state, cached_from, result, timings, version, output, ord)
                LEFT JOIN line l ON l.queue = i.queue AND l.priority = i.priority
                ORDER BY i.ord
                ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
                RETURNING j.id, j.queue, j.priority, j.internal, j.state, j.input_keys, j.output, j.ticket),
            moved AS (SELECT queue, priority, internal, NULL::smallint AS was, state FROM added),
            {PostgresTallies.Sql},
            taken AS (SELECT k.key, a.id FROM (SELECT id, {OutputKeys} AS keys FROM added WHERE output IS NOT NULL) AS a CROSS JOIN LATERAL unnest(a.keys) AS k (key)),
            kept AS (
                INSERT INTO blobs (key, job)
                SELECT DISTINCT k.key, a.id FROM added a CROSS JOIN LATERAL unnest(a.input_keys) AS k (key)
                UNION SELECT key, id FROM taken)
            SELECT id, ticket FROM added
            """,
            p => p.With(now)
                .With(Column(rows, r => r.Job.Id.ToGuid())).With(Column(rows, r => r.Job.Spec.Engine)).With(Column(rows, r => r.Job.Spec.Queue))
                .With(Column(rows, r => (short)r.Job.Spec.Priority)).With(Column(rows, r => r.Job.Internal))
                .With(Column(rows, r => MicrosecondsOrNull(r.Job.Spec.NotBefore))).With(Column(rows, r => MicrosecondsOrNull(r.Job.Spec.Expires)))
                .With(Column(rows, r => r.Spec)).With(Column(rows, r => string.Join(' ', r.Job.Spec.Inputs.Select(i => i.Key))))
                .With(Column(rows, r => r.Job.IdempotencyKey)).With(Column(rows, r => r.Job.Fingerprint))
                .With(Column(rows, r => r.Job.Tenant)).With(Column(rows, r => r.Job.By))
                .With(Column(rows, r => r.Notify)).With(Column(rows, r => r.Job.ResultCacheKey))
                .With(Column(rows, r => (short)r.State)).With(Column(rows, r => r.Job.Cached?.From.ToGuid()))
                .With(Column(rows, r => r.Job.Cached?.Result.ToString())).With(Column(rows, r => r.Timings)).With(Column(rows, r => r.Job.Cached?.ModelVersion))
                .With(Column(rows, r => OutputColumn.Write(null, r.Job.Cached?.Outputs ?? []))),
            async r => (await r.ListAsync(row => (Id: PostgresJobRow.IdOf(row.GetGuid(0)), Ticket: row.GetInt64(1)))).ToDictionary(a => a.Id, a => a.Ticket));
        if (rows.Exists(row => row.Job is { Cached: not null, Notify.Count: > 0 } && inserted.ContainsKey(row.Job.Id)))
            signals.FilledOutbox();

        var keys = rows.Where(r => !inserted.ContainsKey(r.Job.Id)).Select(r => r.Job.IdempotencyKey!).Distinct(StringComparer.Ordinal).ToArray();
        var known = keys.Length == 0 ? [] : await KnownAsync(keys);
        return Column(calls, call => (IReadOnlyList<AddedJob?>)Column(call.Jobs, row =>
            inserted.TryGetValue(row.Job.Id, out var ticket) ? new AddedJob(JobTransitions.Accepted(row.Job, Microseconds.ToTime(now), ticket), IsNew: true)
                : known.TryGetValue(row.Job.IdempotencyKey!, out var there) ? new AddedJob(there, IsNew: false)
                : null));
    }

    public async Task<IReadOnlyList<bool>[]> ExtendAsync(IReadOnlyList<Extending> calls)
    {
        var now = Microseconds.Now(clock);
        var leases = calls.SelectMany(c => c.Leases, (c, lease) => (Id: lease.Job.ToGuid(), lease.FencingToken, lease.Worker, Until: now + Microseconds.From(c.Duration))).ToList();
        var held = await database.ApplyAsync(
            """
            UPDATE jobs j SET leased_until = i.until FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $5::text[]) AS i (id, token, until, worker)
            WHERE j.id = i.id AND j.fencing_token = i.token AND j.worker = i.worker AND j.state = $4 RETURNING j.id, j.fencing_token, j.worker
            """,
            p => p.With(Column(leases, l => l.Id)).With(Column(leases, l => l.FencingToken)).With(Column(leases, l => l.Until)).With(RunningState)
                .With(Column(leases, l => l.Worker)),
            async r => (await r.ListAsync(row => (row.GetGuid(0), row.GetInt32(1), row.GetString(2)))).ToHashSet());
        return Column(calls, c => (IReadOnlyList<bool>)Column(c.Leases, lease => held.Contains((lease.Job.ToGuid(), lease.FencingToken, lease.Worker))));
    }

    public async Task<EndedAttempt?[]> EndAsync(IReadOnlyList<Ending> calls)
    {
        var ended = new EndedAttempt?[calls.Count];
        var notifies = false;
        await database.CommitAsync(
            $"""
            WITH moved AS (
                UPDATE jobs j SET state = i.state, finished = $1, leased_until = NULL,
                    error = i.error, error_code = i.error_code, timings = i.timings, result = i.result, output = i.output, model_version = i.version
                FROM unnest($2::uuid[], $3::integer[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $11::text[],
                    $12::double precision[], $13::text[])
                    WITH ORDINALITY AS i (id, token, state, error, timings, result, output, version, error_code, seconds, worker, ord)
                WHERE j.id = i.id AND j.fencing_token = i.token AND j.worker = i.worker AND j.state = $10
                RETURNING i.ord, j.id, j.queue, j.priority, j.internal, $10 AS was, j.state, j.output, i.seconds, j.notify IS NOT NULL AS notifies),
            {PostgresTallies.SqlOfEnds},
            kept AS (
                INSERT INTO blobs (key, job)
                SELECT k.key, m.id FROM (SELECT id, {OutputKeys} AS keys FROM moved WHERE output IS NOT NULL) AS m CROSS JOIN LATERAL unnest(m.keys) AS k (key)
                ON CONFLICT DO NOTHING)
            SELECT ord, notifies FROM moved
            """,
            p => p.With(Microseconds.Now(clock)).With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.FencingToken))
                .With(Column(calls, c => (short)c.State)).With(Column(calls, c => c.Error is null ? null : PostgresJobRow.ToJson(c.Error)))
                .With(Column(calls, c => c.Timings))
                .With(Column(calls, c => c.Result)).With(Column(calls, c => c.Output)).With(Column(calls, c => c.ModelVersion))
                .With(RunningState).With(Column(calls, c => c.Error?.Code)).With(Column(calls, c => c.Seconds))
                .With(Column(calls, c => c.Lease.Worker)),
            async r =>
            {
                while (await r.ReadAsync())
                {
                    var at = (int)r.GetInt64(0) - 1;
                    ended[at] = new EndedAttempt(calls[at].Lease.Job, calls[at].State, null);
                    notifies |= r.GetBoolean(1);
                }
                return true;
            });
        if (notifies)
            signals.FilledOutbox();
        return ended;
    }

    public Task FoldTalliesAsync() => database.ApplyAsync(PostgresTallies.Fold, _ => { }, _ => Task.FromResult(true));

    public async Task<IReadOnlyList<string>> ExpireBlobsAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        await database.WriteAsync(
            $"""
            WITH old AS MATERIALIZED (
                SELECT id FROM jobs WHERE finished IS NOT NULL AND NOT expired AND finished < $1 ORDER BY finished LIMIT $2 FOR UPDATE SKIP LOCKED),
            marked AS (UPDATE jobs j SET expired = true FROM old WHERE j.id = old.id RETURNING j.id, j.input_keys || {OutputKeys} AS keys),
            spoken AS (SELECT k.key, m.id AS job FROM marked m CROSS JOIN LATERAL unnest(m.keys) AS k (key)),
            gone AS (DELETE FROM blobs b USING spoken s WHERE b.key = s.key AND b.job = s.job RETURNING b.key, b.job)
            -- Others that let go of the same blob at this moment are not seen; then the search for orphans finds it.
            SELECT g.key FROM (SELECT key, count(*) AS jobs FROM gone GROUP BY key) AS g
            WHERE g.jobs = (SELECT count(*) FROM blobs b WHERE b.key = g.key)
            """,
            p => p.With(Microseconds.From(finishedBefore)).With((long)limit), r => r.ListAsync(row => row.GetString(0)), cancel);

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit, CancellationToken cancel) =>
        database.WriteAsync(
            $"""
            WITH old AS MATERIALIZED (
                SELECT id FROM jobs WHERE finished IS NOT NULL AND expired IN (false, true) AND finished < $1 LIMIT $2 FOR UPDATE SKIP LOCKED),
            moved AS (
                DELETE FROM jobs j USING old WHERE j.id = old.id
                RETURNING j.id, j.queue, j.priority, j.internal, j.state AS was, NULL::smallint AS state, j.input_keys || {OutputKeys} AS keys),
            {PostgresTallies.Sql},
            spoken AS (SELECT k.key, m.id AS job FROM moved m CROSS JOIN LATERAL unnest(m.keys) AS k (key)),
            forgotten AS (DELETE FROM blobs b USING spoken s WHERE b.key = s.key AND b.job = s.job)
            SELECT count(*)::integer FROM moved
            """,
            p => p.With(Microseconds.From(finishedBefore)).With((long)limit),
            async r => await r.ReadAsync() ? r.GetInt32(0) : 0,
            cancel);

    private async Task<Dictionary<string, Job>> KnownAsync(string[] keys)
    {
        try
        {
            return await database.ReadAsync(
                $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.idempotency_key = ANY($1)",
                p => p.With(keys),
                async r => (await r.ListAsync(PostgresJobRow.Read)).ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal),
                CancellationToken.None);
        }
        catch (SpotterException)
        {
            // The rows of all other calls are committed: these must not hear of it, or they would send their jobs again.
            return [];
        }
    }

    private static long? MicrosecondsOrNull(DateTimeOffset? time) => time is { } given ? Microseconds.From(given) : null;

    private static TValue[] Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = value(items[i]);
        return values;
    }
}
