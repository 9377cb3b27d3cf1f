using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>The questions about jobs.</summary>
internal sealed class PostgresJobQueries(PostgresDatabase database, TimeProvider clock)
{
    private const int QueuedState = (int)JobState.Queued;

    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) =>
        database.ReadAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.id = $1", p => p.With(id.ToGuid()), r => r.FirstAsync(PostgresJobRow.Read), cancel);

    public Task<Job?> FindByKeyAsync(string key, CancellationToken cancel) =>
        database.ReadAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.idempotency_key = $1", p => p.With(key), r => r.FirstAsync(PostgresJobRow.Read), cancel);

    public Task<Job?> FindCachedAsync(string tenant, string workKey, string modelVersion, CancellationToken cancel) =>
        database.ReadAsync(
            $"""
            SELECT {PostgresJobRow.Columns} FROM jobs j
            WHERE j.state = 2 AND j.work_key = $1 AND j.tenant = $2 AND j.model_version = $3 AND j.answered_from IS NULL ORDER BY j.seq DESC LIMIT 1
            """,
            p => p.With(workKey).With(tenant).With(modelVersion), r => r.FirstAsync(PostgresJobRow.Read), cancel);

    public async Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel)
    {
        if (filter.Limit <= 0)
            return [];
        var before = long.MaxValue;
        if (filter.After is { } after)
        {
            // The oldest rows are deleted first, so there is nothing before a row that is gone.
            before = await database.ReadAsync(
                "SELECT seq FROM jobs WHERE id = $1", p => p.With(after.ToGuid()), async r => await r.ReadAsync() ? r.GetInt64(0) : 0, cancel);
        }
        // Partial indexes are only used when their condition is written out.
        var state = filter.State is { } wanted
            ? FormattableString.Invariant($"AND j.state = {(int)wanted} {(wanted is JobState.Failed or JobState.Dead or JobState.Cancelled ? "AND j.state >= 3 " : "")}")
            : "";
        return await database.ReadAsync(
            $"""
            SELECT {PostgresJobRow.Columns} FROM jobs j
            WHERE NOT j.internal AND j.seq < $1 {state}
                {(filter.Engine is null ? "AND $3::text IS NULL" : "AND j.engine = $3")}
                {(filter.Error is null ? "AND $4::text IS NULL" : "AND j.error::json ->> 'code' = $4")}
                {(filter.Tenant is null ? "AND $5::text IS NULL" : "AND j.tenant = $5")}
            ORDER BY j.seq DESC LIMIT $2
            """,
            p => p.With(before).With((long)filter.Limit).WithText(filter.Engine).WithText(filter.Error).WithText(filter.Tenant),
            r => r.ListAsync(PostgresJobRow.Read),
            cancel);
    }

    public async Task<IReadOnlyList<DueJob>> OverdueAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel) =>
        await database.ReadAsync(
            "SELECT id, queue, priority FROM jobs WHERE state = 0 AND due < $1 ORDER BY due, seq LIMIT $2 OFFSET $3",
            p => p.With(Microseconds.Now(clock) - Microseconds.From(overdue)).With((long)limit).With((long)skip),
            r => r.ListAsync(row => new DueJob(PostgresJobRow.IdOf(row.GetGuid(0)), row.GetString(1), (JobPriority)row.GetInt16(2))),
            cancel);

    public Task<JobCounts> CountAsync(string? engine, CancellationToken cancel) =>
        database.ReadAsync(
            """
            SELECT t.internal, t.state, sum(t.jobs)::bigint,
                -- Of each queue and priority the first row of an index, not all that wait.
                (SELECT min(oldest.created)
                FROM (SELECT DISTINCT e.engine || CASE e.model WHEN '' THEN '' ELSE '/' || e.model END AS queue
                    FROM tallies e WHERE e.state = 0 AND NOT e.internal AND ($1 IS NULL OR e.engine = $1)) AS known
                CROSS JOIN generate_series(0, 2) AS level (priority)
                CROSS JOIN LATERAL (
                    SELECT j.created FROM jobs j
                    WHERE j.state = 0 AND j.queue = known.queue AND j.priority = level.priority AND NOT j.internal ORDER BY j.seq LIMIT 1) AS oldest)
            FROM tallies t WHERE $1 IS NULL OR t.engine = $1 GROUP BY t.internal, t.state
            """,
            p => p.WithText(engine), ReadCountsAsync, cancel);

    public async Task<IReadOnlyList<QueueBacklog>> BacklogAsync(CancellationToken cancel) =>
        await database.ReadAsync(
            """
            SELECT engine, model, coalesce(sum(jobs) FILTER (WHERE NOT internal), 0)::bigint, coalesce(sum(jobs) FILTER (WHERE internal), 0)::bigint
            FROM tallies WHERE state = 0 GROUP BY engine, model HAVING sum(jobs) > 0
            """,
            _ => { },
            r => r.ListAsync(row => new QueueBacklog(
                QueueNames.Of(row.GetString(0), row.GetString(1) is { Length: > 0 } model ? model : null), row.GetInt64(2), row.GetInt64(3))),
            cancel);

    public Task<int?> PositionAsync(JobId id, CancellationToken cancel) =>
        database.ReadAsync(
            """
            SELECT (SELECT count(*) FROM jobs ahead 
                WHERE ahead.state = 0 AND ahead.queue = j.queue AND (ahead.priority, ahead.seq) < (j.priority, j.seq))::integer
            FROM jobs j WHERE j.id = $1 AND j.state = 0
            """,
            p => p.With(id.ToGuid()), async r => await r.ReadAsync() ? r.GetInt32(0) : (int?)null, cancel);

    private static async Task<JobCounts> ReadCountsAsync(NpgsqlDataReader reader)
    {
        var counts = new long[Enum.GetValues<JobState>().Length];
        var own = new long[counts.Length];
        long? oldest = null;
        while (await reader.ReadAsync())
        {
            (reader.GetBoolean(0) ? own : counts)[reader.GetInt16(1)] = reader.GetInt64(2);
            oldest = reader.LongOrNull(3);
        }
        return new JobCounts(
            counts[0], counts[1], counts[2], counts[3], counts[4], counts[5],
            counts[QueuedState] > 0 && oldest is { } created ? Microseconds.ToTime(created) : null)
        {
            InternalQueued = own[0],
            InternalRunning = own[1],
        };
    }
}
