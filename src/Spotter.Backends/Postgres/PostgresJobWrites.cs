using Npgsql;
using Spotter.Core;
using Spotter.Core.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The statements that change jobs, each for many at a time. Fenced in SQL, and with the tallies in the same statement,
/// so that no two gateways can disagree.
/// </summary>
internal sealed class PostgresJobWrites(PostgresDatabase database, RetrySchedule retries, RandomSource random, TimeProvider clock)
{
    /// <summary>The changes of the tallies that follow from rows of <c>moved (engine, model, internal, was, state)</c>; either state may be missing.</summary>
    private const string Tally = """
        tally AS (
            INSERT INTO tallies (engine, model, internal, state, jobs)
            SELECT m.engine, coalesce(m.model, ''), m.internal, s.state, sum(s.change)
            FROM moved m CROSS JOIN LATERAL (VALUES (m.was, -1), (m.state, 1)) AS s (state, change)
            WHERE s.state IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING sum(s.change) <> 0)
        """;

    /// <summary>A call of <see cref="IJobStore.AddAsync"/>, its options written as JSON.</summary>
    public sealed record Adding(IReadOnlyList<NewJob> Jobs, string[] Options);

    /// <summary>A call of <see cref="IJobStore.StartAsync"/>.</summary>
    public sealed record Starting(Delivery Delivery, string Worker, TimeSpan Hold);

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that ends the job.</summary>
    public sealed record Ending(Lease Lease, JobState State, string? Error, string? Timings, string? Result, string? Output);

    /// <summary>A call of <see cref="IJobStore.FinishAsync"/> that does not.</summary>
    public sealed record Retrying(Lease Lease, string Error, bool SpendAttempt);

    /// <summary>A call of <see cref="IJobStore.ExtendAsync"/>.</summary>
    public sealed record Extending(Lease Lease, TimeSpan Hold);

    /// <summary>What ending an attempt needs to know of a running row.</summary>
    public sealed record Held(Guid Id, int Attempts, string Error, bool Spend, bool Solo);

    public async Task<IReadOnlyList<AddedJob>[]> AddAsync(IReadOnlyList<Adding> calls)
    {
        var now = Microseconds.Now(clock);
        var jobs = calls.SelectMany(c => c.Jobs).ToList();
        var inserted = await database.CommitAsync(
            $"""
            WITH moved AS (
                INSERT INTO jobs (id, engine, internal, due, created, model, idempotency_key, fingerprint,
                    image_key, image_format, image_bytes, image_sha256, options, name)
                SELECT i.id, i.engine, i.internal, $1, $1, i.model, i.key, i.print, i.image, i.format, i.bytes, i.sha, i.options, i.name
                FROM unnest($2::uuid[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::text[], $9::smallint[], $10::bigint[],
                    $11::text[], $12::text[], $13::text[])
                    WITH ORDINALITY AS i (id, engine, internal, model, key, print, image, format, bytes, sha, options, name, ord)
                ORDER BY i.ord
                ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
                RETURNING id, engine, model, internal, NULL::smallint AS was, state),
            {Tally}
            SELECT id FROM moved
            """,
            p => p.With(now)
                .With(Column(jobs, j => j.Id.ToGuid())).With(Column(jobs, j => j.Engine)).With(Column(jobs, j => j.Internal))
                .With(Column(jobs, j => j.Model)).With(Column(jobs, j => j.IdempotencyKey)).With(Column(jobs, j => j.Fingerprint))
                .With(Column(jobs, j => j.Image.Key)).With(Column(jobs, j => (short)j.Image.Format)).With(Column(jobs, j => j.Image.Bytes))
                .With(Column(jobs, j => j.Image.Sha256)).With(calls.SelectMany(c => c.Options).ToArray()).With(Column(jobs, j => j.Name)),
            async r =>
            {
                var ids = new HashSet<Guid>();
                while (await r.ReadAsync())
                    ids.Add(r.GetGuid(0));
                return ids;
            });

        var keys = jobs.Where(j => !inserted.Contains(j.Id.ToGuid())).Select(j => j.IdempotencyKey!).Distinct(StringComparer.Ordinal).ToArray();
        var known = keys.Length == 0 ? [] : await KnownAsync(keys);
        return Map(calls, call =>
        {
            var added = new AddedJob[call.Jobs.Count];
            for (var i = 0; i < added.Length; i++)
            {
                var job = call.Jobs[i];
                if (inserted.Contains(job.Id.ToGuid()))
                    added[i] = new AddedJob(PostgresJobRow.Of(job, now), IsNew: true);
                else if (known.TryGetValue(job.IdempotencyKey!, out var row))
                    added[i] = new AddedJob(row, IsNew: false);
                else
                    throw new SpotterException(ErrorCodes.Busy, "The job with this idempotency key was being deleted; send the request again.");
            }
            return (IReadOnlyList<AddedJob>)added;
        });
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
                WHERE j.id = i.id AND j.state = 0 AND j.due <= $1
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
                        job, new Lease(job.Id, call.Delivery.Queue, job.Epoch, job.Attempts, call.Worker, call.Delivery.Receipt));
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
            p => p.With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.Epoch)).With(Column(calls, c => now + Microseconds.From(c.Hold))),
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
        await database.CommitAsync(
            $"""
            WITH moved AS (
                UPDATE jobs j SET state = i.state, finished = $1, leased_until = NULL, worker = NULL,
                    error = i.error, timings = i.timings, result = i.result, output = i.output
                FROM unnest($2::uuid[], $3::integer[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[])
                    WITH ORDINALITY AS i (id, epoch, state, error, timings, result, output, ord)
                WHERE j.id = i.id AND j.epoch = i.epoch AND j.state = 1
                RETURNING i.ord, j.engine, j.model, j.internal, 1::smallint AS was, j.state),
            {Tally}
            SELECT ord, engine, model FROM moved
            """,
            p => p.With(Microseconds.Now(clock)).With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.Epoch))
                .With(Column(calls, c => (short)c.State)).With(Column(calls, c => c.Error)).With(Column(calls, c => c.Timings))
                .With(Column(calls, c => c.Result)).With(Column(calls, c => c.Output)),
            async r =>
            {
                while (await r.ReadAsync())
                {
                    var at = (int)r.GetInt64(0) - 1;
                    ended[at] = new EndedAttempt(calls[at].Lease.Job, QueueNames.Of(r.GetString(1), r.TextOrNull(2)), calls[at].State, null);
                }
                return true;
            });
        return ended;
    }

    public Task<EndedAttempt?[]> RetryAsync(IReadOnlyList<Retrying> calls) =>
        database.TransactAsync(
            async connection =>
            {
                var held = new List<Held>();
                var ord = new List<int>();
                await PostgresDatabase.RunAsync(
                    connection,
                    """
                    SELECT i.ord, j.attempts FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS i (id, epoch, ord)
                    JOIN jobs j ON j.id = i.id AND j.epoch = i.epoch AND j.state = 1 ORDER BY j.id FOR UPDATE OF j
                    """,
                    p => p.With(Column(calls, c => c.Lease.Job.ToGuid())).With(Column(calls, c => c.Lease.Epoch)),
                    async r =>
                    {
                        while (await r.ReadAsync())
                        {
                            var at = (int)r.GetInt64(0) - 1;
                            ord.Add(at);
                            held.Add(new Held(calls[at].Lease.Job.ToGuid(), r.GetInt32(1), calls[at].Error, calls[at].SpendAttempt, Solo: false));
                        }
                        return true;
                    });
                var answers = new EndedAttempt?[calls.Count];
                var ended = await EndForRetryAsync(connection, held);
                for (var i = 0; i < ended.Count; i++)
                    answers[ord[i]] = ended[i];
                return answers;
            },
            CancellationToken.None);

    /// <summary>Ends the attempts of all running jobs that <paramref name="condition"/> finds.</summary>
    public Task<IReadOnlyList<EndedAttempt>> TakeLeasesAsync(
        string condition, Action<NpgsqlParameterCollection> bind, string error, bool spendAttempt, CancellationToken cancel) =>
        database.TransactAsync(
            async connection =>
            {
                var held = await PostgresDatabase.RunAsync(
                    connection,
                    $"SELECT id, attempts FROM jobs WHERE state = 1 AND {condition}",
                    bind,
                    r => r.ListAsync(row => new Held(row.GetGuid(0), row.GetInt32(1), error, spendAttempt, Solo: spendAttempt)));
                return (IReadOnlyList<EndedAttempt>)await EndForRetryAsync(connection, held);
            },
            cancel);

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

    /// <summary>The attempts have failed: to be tried again, or dead where there are no more.</summary>
    private async Task<List<EndedAttempt>> EndForRetryAsync(NpgsqlConnection connection, List<Held> held)
    {
        if (held.Count == 0)
            return [];
        var now = Microseconds.Now(clock);
        var delays = held.ConvertAll(h => (h.Spend ? retries.DelayAfter(h.Attempts, random) : retries.FreeDelay) is { } span ? Microseconds.From(span) : (long?)null);
        var ended = new EndedAttempt[held.Count];
        await PostgresDatabase.RunAsync(
            connection,
            $"""
            WITH moved AS (
                UPDATE jobs j SET state = i.state, finished = CASE WHEN i.state = 0 THEN NULL ELSE $1 END, due = i.due, attempts = i.attempts,
                    solo = j.solo OR i.solo, error = i.error, leased_until = NULL, worker = NULL
                FROM unnest($2::uuid[], $3::smallint[], $4::bigint[], $5::integer[], $6::boolean[], $7::text[])
                    WITH ORDINALITY AS i (id, state, due, attempts, solo, error, ord)
                WHERE j.id = i.id
                RETURNING i.ord, j.engine, j.model, j.internal, 1::smallint AS was, j.state),
            {Tally}
            SELECT ord, engine, model FROM moved
            """,
            p => p.With(now).With(Column(held, h => h.Id)).With(delays.Select(d => (short)StateAfter(d)).ToArray()).With(delays.Select(d => now + (d ?? 0)).ToArray())
                .With(Column(held, h => h.Spend ? h.Attempts : h.Attempts - 1)).With(Column(held, h => h.Solo)).With(Column(held, h => h.Error)),
            async r =>
            {
                while (await r.ReadAsync())
                {
                    var at = (int)r.GetInt64(0) - 1;
                    ended[at] = new EndedAttempt(
                        PostgresJobRow.IdOf(held[at].Id), QueueNames.Of(r.GetString(1), r.TextOrNull(2)), StateAfter(delays[at]),
                        delays[at] is { } wait ? TimeSpan.FromMicroseconds(wait) : null);
                }
                return true;
            });
        return [.. ended];
    }

    /// <summary>The row of a job that is cancelled now; null when it had ended before or is not there.</summary>
    public Task<Job?> CancelAsync(JobId id) =>
        database.CommitAsync(
            $"""
            WITH old AS MATERIALIZED (SELECT id, state FROM jobs WHERE id = $1 AND state IN (0, 1) FOR UPDATE),
            cancelled AS (
                UPDATE jobs j SET state = 5, finished = $2, leased_until = NULL, worker = NULL FROM old WHERE j.id = old.id
                RETURNING {PostgresJobRow.Columns}, old.state AS was),
            moved AS (SELECT engine, model, internal, was, state FROM cancelled),
            {Tally}
            SELECT * FROM cancelled
            """,
            p => p.With(id.ToGuid()).With(Microseconds.Now(clock)), r => r.FirstAsync(PostgresJobRow.Read));

    public Task<List<string>> ExpireImagesAsync(DateTimeOffset finishedBefore, int limit) =>
        database.CommitAsync(
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
            });

    public Task<int> PurgeAsync(DateTimeOffset finishedBefore, int limit) =>
        database.CommitAsync(
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
            async r => await r.ReadAsync() ? r.GetInt32(0) : 0);

    private Task<Dictionary<string, Job>> KnownAsync(string[] keys) =>
        database.CommitAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.idempotency_key = ANY($1)",
            p => p.With(keys),
            async r =>
            {
                var rows = await r.ListAsync(PostgresJobRow.Read);
                return rows.ToDictionary(j => j.IdempotencyKey!, StringComparer.Ordinal);
            });

    private static JobState StateAfter(long? delay) => delay is null ? JobState.Dead : JobState.Queued;

    private static TValue[] Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value) => Map(items, value);

    private static TValue[] Map<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = value(items[i]);
        return values;
    }
}
