using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Finds a page of jobs with one statement. Their index has them by tenant, engine and state, and then in the order in which they
/// came. A filter that leaves one of these open is given the newest of each, and of those the newest. So a page costs what may be
/// on it, however many jobs others have, or the same tenant in other states.
/// </summary>
internal static class PostgresJobList
{
    private static readonly short[] AllStates = [.. Enum.GetValues<JobState>().Select(state => (short)state)];

    public static async Task<IReadOnlyList<Job>> ReadAsync(PostgresDatabase database, JobFilter filter, CancellationToken cancel)
    {
        if (filter.Limit <= 0)
            return [];
        short[] states = filter.State is { } only ? [(short)only] : AllStates;
        return await database.ReadAsync(
            Sql(filter),
            p => p.With(states).With((long)filter.Limit).WithId(filter.After).WithText(filter.Engine).WithText(filter.Error).WithText(filter.Tenant),
            r => r.ListAsync(PostgresJobRow.Read),
            cancel);
    }

    /// <summary>The statement: $1 are states, $2 the limit, $3 the cursor, $4 the engine, $5 the error's code, $6 the tenant; each that is missing is null.</summary>
    internal static string Sql(JobFilter filter)
    {
        // The index of errors says internal another way than that of all jobs, so that by old statistics none is taken for the other.
        var (listed, error) = filter.Error is null
            ? ("FROM jobs j WHERE NOT j.internal", "")
            : ("FROM jobs j WHERE j.internal IS NOT TRUE AND j.error_code IS NOT NULL", "AND j.error_code = $5");
        return $"""
            WITH RECURSIVE {(filter.Tenant is null ? Tenants(listed) : "tenants AS (SELECT $6::text AS tenant)")},
            {(filter.Engine is null ? Engines($"{listed} {error}") : "engines AS (SELECT t.tenant, $4::text AS engine FROM tenants t)")},
            -- Null when the cursor is no job of the caller's, whether or not it is somebody else's. The oldest rows are deleted first, so
            -- there is nothing before a row that is gone.
            start AS MATERIALIZED (
                SELECT CASE WHEN $3::uuid IS NULL THEN {long.MaxValue} ELSE (
                    SELECT a.seq FROM jobs a WHERE a.id = $3 AND a.internal IS FALSE AND ($6::text IS NULL OR a.tenant = $6)) END AS seq),
            page AS MATERIALIZED (
                SELECT newest.id, newest.seq FROM engines e CROSS JOIN unnest($1::smallint[]) AS s (state) CROSS JOIN LATERAL (
                    SELECT j.id, j.seq {listed} {error} AND j.tenant = e.tenant AND j.engine = e.engine AND j.state = s.state
                        AND j.seq < (SELECT start.seq FROM start)
                    ORDER BY j.seq DESC LIMIT $2) AS newest
                ORDER BY newest.seq DESC LIMIT $2)
            SELECT {PostgresJobRow.Columns} FROM page JOIN jobs j ON j.id = page.id ORDER BY page.seq DESC
            """;
    }

    /// <summary>The tenants of all jobs there, each found from the one before; the last is null.</summary>
    private static string Tenants(string listed) => $"""
        tenants AS (
            (SELECT j.tenant {listed} ORDER BY j.tenant LIMIT 1)
            UNION ALL
            SELECT (SELECT j.tenant {listed} AND j.tenant > t.tenant ORDER BY j.tenant LIMIT 1) FROM tenants t WHERE t.tenant IS NOT NULL)
        """;

    /// <summary>The engines of each tenant, likewise.</summary>
    private static string Engines(string listed) => $"""
        engines AS (
            SELECT t.tenant, (SELECT j.engine {listed} AND j.tenant = t.tenant ORDER BY j.engine LIMIT 1) AS engine FROM tenants t
            UNION ALL
            SELECT e.tenant, (SELECT j.engine {listed} AND j.tenant = e.tenant AND j.engine > e.engine ORDER BY j.engine LIMIT 1)
            FROM engines e WHERE e.engine IS NOT NULL)
        """;
}
