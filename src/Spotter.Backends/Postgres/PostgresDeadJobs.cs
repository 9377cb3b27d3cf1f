using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Finds dead jobs to put back. Their index has them by tenant and error, longest dead first: a filter that leaves one of these
/// open is given the first of each that has any, and of those the first.
/// </summary>
internal static class PostgresDeadJobs
{
    private const string Dead = "FROM jobs d WHERE d.state = 4 AND NOT d.expired";

    private const string Code = "coalesce(d.error_code, '')";

    private const string OfKind = $"{Dead} AND d.tenant = k.tenant AND {Code} = k.code ORDER BY d.finished";

    private const string Tenants = $"""
        tenants AS (
            (SELECT d.tenant {Dead} ORDER BY d.tenant LIMIT 1)
            UNION ALL
            SELECT (SELECT d.tenant {Dead} AND d.tenant > t.tenant ORDER BY d.tenant LIMIT 1) FROM tenants t WHERE t.tenant IS NOT NULL)
        """;

    private const string Kinds = $"""
        kinds AS (
            SELECT t.tenant, (SELECT {Code} {Dead} AND d.tenant = t.tenant ORDER BY {Code} LIMIT 1) AS code FROM tenants t
            UNION ALL
            SELECT k.tenant, (SELECT {Code} {Dead} AND d.tenant = k.tenant AND {Code} > k.code ORDER BY {Code} LIMIT 1) FROM kinds k WHERE k.code IS NOT NULL)
        """;

    /// <summary>Which rows of <c>jobs j</c> to lock: $1 are ids, $2 the error's code, $3 the tenant, $4 the limit, $5 the state of the dead; each that is missing is null.</summary>
    public static string Condition(RedriveFilter filter) => filter.Ids is not null
        ? """
        j.id = ANY($1) AND j.state = $5 AND NOT j.expired AND ($2::text IS NULL OR j.error_code = $2) AND ($3::text IS NULL OR j.tenant = $3)
        ORDER BY j.finished LIMIT $4 FOR UPDATE SKIP LOCKED
        """
        : $"""
        j.id = ANY (ARRAY(
            WITH RECURSIVE {(filter.Tenant is null ? Tenants : "tenants AS (SELECT $3::text AS tenant)")},
            {(filter.Error is null ? Kinds : "kinds AS (SELECT t.tenant, $2::text AS code FROM tenants t)")},
            first AS MATERIALIZED (
                SELECT k.tenant, k.code FROM kinds k CROSS JOIN LATERAL (SELECT d.finished {OfKind} LIMIT $4) AS d ORDER BY d.finished LIMIT $4),
            -- Of each kind as many as are among the first, though others in place of those that somebody else is putting back.
            share AS MATERIALIZED (SELECT k.tenant, k.code, count(*) AS wanted FROM first k GROUP BY k.tenant, k.code)
            SELECT d.id FROM share k CROSS JOIN LATERAL (SELECT d.id {OfKind} LIMIT k.wanted FOR UPDATE SKIP LOCKED) AS d))
        """;
}
