using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Takes jobs straight from their table, for any number of gateways at once (<c>FOR UPDATE SKIP LOCKED</c>).</summary>
internal sealed class PostgresTakes(PostgresDatabase database, TimeProvider clock)
{
    // By then whoever was faster has committed, and what is left can be told from what is gone.
    private const long ContendedMicroseconds = 5_000;

    private const string IsReady = "j.state = 0 AND j.due <= $1 AND (j.expires IS NULL OR j.expires > $1)";

    private static readonly string Sql = $"""
        WITH ready AS MATERIALIZED (
            SELECT count(*) > 1 AS mixed FROM unnest($3::smallint[]) AS l (priority) WHERE EXISTS (
                SELECT 1 FROM unnest($2::text[]) AS q (name) CROSS JOIN LATERAL (
                    SELECT 1 FROM jobs j WHERE {IsReady} AND j.queue = q.name AND j.priority = l.priority LIMIT 1) AS j)),
        first AS MATERIALIZED (
            SELECT q.name AS queue, l.priority, l.nth FROM unnest($3::smallint[]) WITH ORDINALITY AS l (priority, nth)
            CROSS JOIN unnest($2::text[]) AS q (name)
            CROSS JOIN LATERAL (
                SELECT j.due, j.seq FROM jobs j WHERE {IsReady} AND j.queue = q.name AND j.priority = l.priority ORDER BY j.due, j.seq LIMIT $4) AS j
            WHERE NOT (SELECT $7 AND mixed FROM ready)
            ORDER BY l.nth, j.due, j.seq LIMIT $4),
        -- Of each line as many as are among the first, though others in place of those that somebody else is taking.
        share AS MATERIALIZED (SELECT queue, priority, nth, count(*) AS wanted FROM first GROUP BY queue, priority, nth),
        held AS MATERIALIZED (
            SELECT j.id, s.nth, j.due, j.seq FROM share s CROSS JOIN LATERAL (
                SELECT j.id, j.due, j.seq FROM jobs j WHERE {IsReady} AND j.queue = s.queue AND j.priority = s.priority
                ORDER BY j.due, j.seq LIMIT s.wanted FOR UPDATE SKIP LOCKED) AS j),
        started AS (
            UPDATE jobs j SET state = 1, fencing_token = j.fencing_token + 1, attempts = j.attempts + 1, started = $1, leased_until = $5,
                worker = ($6::text[])[h.place]
            FROM (SELECT id, row_number() OVER (ORDER BY nth, due, seq)::integer AS place FROM held) AS h
            WHERE j.id = h.id
            RETURNING j.queue, j.priority, h.place, {PostgresJobRow.Columns}),
        moved AS (SELECT queue, priority, internal, 0::smallint AS was, state FROM started),
        {PostgresTallies.Sql}
        SELECT s.*, t.mixed, t.seen, t.next FROM (
            SELECT (SELECT mixed FROM ready) AS mixed, (SELECT count(*) FROM first) AS seen,
                CASE WHEN (SELECT count(*) FROM held) < $4 THEN (
                    SELECT min(later.due) FROM unnest($2::text[]) AS q (name) CROSS JOIN unnest($3::smallint[]) AS l (priority)
                    CROSS JOIN LATERAL (
                        SELECT j.due FROM jobs j WHERE j.state = 0 AND j.queue = q.name AND j.priority = l.priority AND j.due > $1
                        ORDER BY j.due LIMIT 1) AS later) END AS next) AS t
        LEFT JOIN started s ON true
        ORDER BY s.place
        """;

    /// <summary>
    /// See <see cref="IJobStore.TakeInTurnAsync"/>. When all that is ready is of one level of priority, the requests differ
    /// in nothing that counts, and one statement serves them all.
    /// </summary>
    public async Task<IReadOnlyList<TakenJobs>> TakeAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel)
    {
        if (requests.Count > 1 && IsSameButForOrder(requests))
        {
            var all = requests[0] with { Workers = [.. requests.SelectMany(r => r.Workers)] };
            if (await TakeAsync([all], unlessMixed: true, cancel) is [{ } taken])
                return Split(taken, requests);
        }
        return [.. (await TakeAsync(requests, unlessMixed: false, cancel)).OfType<TakenJobs>()];
    }

    private static bool IsSameButForOrder(IReadOnlyList<TakeRequest> requests) =>
        requests.All(r => r.Duration == requests[0].Duration && r.Levels.Count == requests[0].Levels.Count
            && !r.Levels.Except(requests[0].Levels).Any() && r.Queues.SequenceEqual(requests[0].Queues, StringComparer.Ordinal));

    private static List<TakenJobs> Split(TakenJobs taken, IReadOnlyList<TakeRequest> requests)
    {
        var answers = new List<TakenJobs>(requests.Count);
        var first = 0;
        foreach (var request in requests)
        {
            var jobs = taken.Jobs.Skip(first).Take(request.Workers.Count).ToList();
            answers.Add(new TakenJobs(jobs, jobs.Count < request.Workers.Count ? taken.NextDue : null));
            first += request.Workers.Count;
        }
        return answers;
    }

    /// <summary>All in one transaction, sent together. Null for one that was not served as its order of levels counts.</summary>
    private Task<List<TakenJobs?>> TakeAsync(IReadOnlyList<TakeRequest> requests, bool unlessMixed, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        // Needs no flush: if the server crashes, the job is queued again, and whoever had it can't hand it in (the worker is part
        // of what fences, as the token may come again).
        return database.ApplyAsync(
            [.. requests.Select(request => new PostgresStatement(
                Sql,
                p => p.With(now).With(request.Queues.Distinct(StringComparer.Ordinal).ToArray()).With(request.Levels.Select(l => (short)l).ToArray())
                    .With((long)request.Workers.Count).With(now + Microseconds.From(request.Duration)).With(request.Workers.ToArray()).With(unlessMixed)))],
            async reader =>
            {
                var taken = new List<TakenJobs?>(requests.Count);
                do
                    taken.Add(await ReadAsync(reader, requests[taken.Count].Workers.Count, unlessMixed, now));
                while (await reader.NextResultAsync());
                return taken;
            },
            cancel);
    }

    private static async Task<TakenJobs?> ReadAsync(NpgsqlDataReader reader, int wanted, bool unlessMixed, long now)
    {
        var jobs = new List<StartedJob>();
        var (mixed, seen, next) = (false, 0L, (long?)null);
        while (await reader.ReadAsync())
        {
            var last = reader.FieldCount - 1;
            (mixed, seen, next) = (reader.GetBoolean(last - 2), reader.GetInt64(last - 1), reader.LongOrNull(last));
            if (reader.IsDBNull(0))
                break;
            var job = PostgresJobRow.Read(reader, 3);
            jobs.Add(new StartedJob(job, new Lease(job.Id, job.Queue, job.FencingToken, job.Attempts, job.Worker!)));
        }
        if (mixed && unlessMixed)
            return null;
        if (jobs.Count < seen)
            next = now + ContendedMicroseconds;
        return new TakenJobs(jobs, jobs.Count < wanted && next is { } due ? Microseconds.ToTime(due) : null);
    }
}
