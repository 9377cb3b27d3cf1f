using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>The questions about jobs.</summary>
internal sealed class PostgresJobQueries(PostgresDatabase database, TimeProvider clock)
{
    public Task<Job?> FindAsync(JobId id, CancellationToken cancel) =>
        database.ReadAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.id = $1", p => p.With(id.ToGuid()), r => r.FirstAsync(PostgresJobRow.Read), cancel);

    public async Task<JobIdSearch> FindIdsAsync(string prefix, string? tenant, CancellationToken cancel)
    {
        var (first, last) = JobId.RangeOf(prefix);
        var seen = await database.ReadAsync(
            "SELECT j.id, j.internal, j.tenant FROM jobs j WHERE j.id BETWEEN $1 AND $2 ORDER BY j.id DESC LIMIT $3",
            p => p.With(first.ToGuid()).With(last.ToGuid()).With((long)JobIdSearch.MostSeen + 1),
            r => r.ListAsync(row => (PostgresJobRow.IdOf(row.GetGuid(0)), row.GetBoolean(1), row.GetString(2))), cancel);
        return JobIdSearch.Among(seen, tenant);
    }

    public async Task<IReadOnlyList<Job>> FindByKeysAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        keys.Count == 0 ? [] : await database.ReadAsync(
            $"SELECT {PostgresJobRow.Columns} FROM jobs j WHERE j.idempotency_key = ANY($1)",
            p => p.With(keys.ToArray()), r => r.ListAsync(PostgresJobRow.Read), cancel);

    public Task<Job?> FindCachedAsync(string tenant, string resultCacheKey, string modelVersion, CancellationToken cancel) =>
        database.ReadAsync(
            $"""
            SELECT {PostgresJobRow.Columns} FROM jobs j
            WHERE j.state = 2 AND j.result_cache_key = $1 AND j.tenant = $2 AND j.model_version = $3 AND j.cached_from IS NULL ORDER BY j.seq DESC LIMIT 1
            """,
            p => p.With(resultCacheKey).With(tenant).With(modelVersion), r => r.FirstAsync(PostgresJobRow.Read), cancel);

    public Task<IReadOnlyList<Job>> ListAsync(JobFilter filter, CancellationToken cancel) => PostgresJobList.ReadAsync(database, filter, cancel);

    public async Task<IReadOnlyList<string>> UnknownBlobsAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) =>
        keys.Count == 0 ? [] : await database.ReadAsync(
            "SELECT k.key FROM unnest($1::text[]) AS k (key) WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.key = k.key)",
            p => p.With(keys.ToArray()), r => r.ListAsync(row => row.GetString(0)), cancel);

    public Task<StoreCounts> CountAsync(CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        return database.ReadPromptlyAsync(
            $"""
            WITH line AS MATERIALIZED (
                SELECT queue, priority, sum(entered)::bigint AS entered, sum(departed)::bigint AS departed,
                    {Sum("entered - departed")} AS queued, {Sum("entered - departed", internally: true)} AS internally_queued,
                    {Sum("running")} AS running, {Sum("running", internally: true)} AS internally_running,
                    {Sum("succeeded")} AS succeeded, {Sum("failed")} AS failed, {Sum("dead")} AS dead, {Sum("cancelled")} AS cancelled, {Sum("ended")} AS ended,
                    sum(served)::bigint AS served, sum(seconds) AS seconds, sum(squares) AS squares
                FROM tallies GROUP BY queue, priority)
            SELECT l.queue, l.priority, l.entered, l.departed, l.queued, l.internally_queued, l.running, l.internally_running,
                l.succeeded, l.failed, l.dead, l.cancelled, l.ended,
                CASE WHEN l.entered > l.departed THEN (
                    SELECT count(*) FROM (
                        SELECT 1 FROM jobs j WHERE j.state = 0 AND j.queue = l.queue AND j.priority = l.priority AND j.due > $2 LIMIT {Backlog.MostCounted}) AS later) END,
                CASE WHEN l.queued > 0 THEN (
                    SELECT f.created FROM (
                        SELECT j.created, j.internal FROM jobs j
                        WHERE j.state = 0 AND j.queue = l.queue AND j.priority = l.priority AND j.due <= $1 ORDER BY j.due, j.seq LIMIT {Backlog.MostCounted}) AS f
                    WHERE NOT f.internal LIMIT 1) END,
                l.served, l.seconds, l.squares
            FROM line l
            """,
            p => p.With(now).With(now + Microseconds.From(Backlog.Soon)), ReadCountsAsync, cancel);
    }

    private static string Sum(string what, bool internally = false) =>
        $"coalesce(sum({what}) FILTER (WHERE {(internally ? "" : "NOT ")}internal), 0)::bigint";

    private static async Task<StoreCounts> ReadCountsAsync(NpgsqlDataReader reader)
    {
        var jobs = new JobCounts(0, 0, 0, 0, 0, 0);
        var backlogs = new List<Backlog>();
        var served = new Dictionary<string, ServedJobs>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
        {
            jobs = new(
                jobs.Queued + reader.GetInt64(4), jobs.Running + reader.GetInt64(6), jobs.Succeeded + reader.GetInt64(8),
                jobs.Failed + reader.GetInt64(9), jobs.Dead + reader.GetInt64(10), jobs.Cancelled + reader.GetInt64(11))
            {
                Ended = jobs.Ended + reader.GetInt64(12),
                InternalQueued = jobs.InternalQueued + reader.GetInt64(5),
                InternalRunning = jobs.InternalRunning + reader.GetInt64(7),
            };
            served[reader.GetString(0)] = served.GetValueOrDefault(reader.GetString(0))
                + new ServedJobs(reader.GetInt64(15), reader.GetDouble(16), reader.GetDouble(17));
            if (reader.GetInt64(2) == 0)
                continue;
            backlogs.Add(new Backlog(reader.GetString(0), (JobPriority)reader.GetInt16(1), reader.GetInt64(4), reader.GetInt64(5))
            {
                Running = reader.GetInt64(6) + reader.GetInt64(7),
                Left = reader.GetInt64(3),
                Delayed = reader.LongOrNull(13) ?? 0,
                Oldest = reader.LongOrNull(14) is { } created ? Microseconds.ToTime(created) : null,
            });
        }
        return new StoreCounts(jobs, backlogs) { Served = served };
    }
}
