using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>Takes jobs straight from their table, for any number of gateways at once (<c>FOR UPDATE SKIP LOCKED</c>).</summary>
internal sealed class PostgresTakes(PostgresDatabase database, TimeProvider clock)
{
    // By then whoever was faster has committed, and what is left can be told from what is gone.
    private const long ContendedMicroseconds = 5_000;

    private const string IsReady = "j.state = 0 AND j.due <= $1 AND (j.expires IS NULL OR j.expires > $1)";

    private static readonly string Sql = $"""
        WITH first AS MATERIALIZED (
            SELECT q.name AS queue, l.priority, l.nth FROM unnest($3::smallint[]) WITH ORDINALITY AS l (priority, nth)
            CROSS JOIN unnest($2::text[]) AS q (name)
            CROSS JOIN LATERAL (
                SELECT j.due, j.seq FROM jobs j WHERE {IsReady} AND j.queue = q.name AND j.priority = l.priority ORDER BY j.due, j.seq LIMIT $4) AS j
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
        SELECT s.*, t.seen, t.next FROM (
            SELECT (SELECT count(*) FROM first) AS seen,
                CASE WHEN (SELECT count(*) FROM held) < $4 THEN (
                    SELECT min(later.due) FROM unnest($2::text[]) AS q (name) CROSS JOIN unnest($3::smallint[]) AS l (priority)
                    CROSS JOIN LATERAL (
                        SELECT j.due FROM jobs j WHERE j.state = 0 AND j.queue = q.name AND j.priority = l.priority AND j.due > $1
                        ORDER BY j.due LIMIT 1) AS later) END AS next) AS t
        LEFT JOIN started s ON true
        ORDER BY s.place
        """;

    /// <summary>See <see cref="IJobStore.TakeAsync"/>.</summary>
    public Task<TakenJobs> TakeAsync(TakeRequest request, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        return database.WriteAsync(
            Sql,
            p => p.With(now).With(request.Queues.Distinct(StringComparer.Ordinal).ToArray()).With(request.Levels.Select(l => (short)l).ToArray())
                .With((long)request.Workers.Count).With(now + Microseconds.From(request.Duration)).With(request.Workers.ToArray()),
            async reader =>
            {
                var jobs = new List<StartedJob>();
                var (seen, next) = (0L, (long?)null);
                while (await reader.ReadAsync())
                {
                    (seen, next) = (reader.GetInt64(reader.FieldCount - 2), reader.LongOrNull(reader.FieldCount - 1));
                    if (reader.IsDBNull(0))
                        break;
                    var job = PostgresJobRow.Read(reader, 3);
                    jobs.Add(new StartedJob(job, new Lease(job.Id, job.Queue, job.FencingToken, job.Attempts, job.Worker!)));
                }
                if (jobs.Count < seen)
                    next = now + ContendedMicroseconds;
                return new TakenJobs(jobs, jobs.Count < request.Workers.Count && next is { } due ? Microseconds.ToTime(due) : null);
            },
            cancel);
    }
}
