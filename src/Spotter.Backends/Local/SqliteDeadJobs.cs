using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// Finds dead jobs to put back. Their index has them by tenant and error, longest dead first: a filter that leaves one of these
/// open is given the first of each that has any, and of those the first.
/// </summary>
internal static class SqliteDeadJobs
{
    private const string Dead = "FROM jobs INDEXED BY jobs_dead WHERE error IS NOT NULL AND state = 4 AND expired = 0";

    private const string Code = "coalesce(json_extract(error, '$.code'), '')";

    /// <summary>The rows of those that have been dead longest, in that order.</summary>
    public static List<long> Longest(WriteScope scope, RedriveFilter filter)
    {
        var found = new List<(long Finished, long Seq)>();
        foreach (var tenant in filter.Tenant is { } of ? [of] : Tenants(scope))
        {
            foreach (var code in filter.Error is { } error ? [error] : Codes(scope, tenant))
            {
                using var select = scope.Prepare($"SELECT finished, seq {Dead} AND tenant = ?1 AND {Code} = ?2 ORDER BY finished, seq LIMIT ?3")
                    .Bind(1, tenant).Bind(2, code).Bind(3, Math.Max(0, filter.Limit));
                while (select.Step())
                    found.Add((select.Long(0), select.Long(1)));
            }
        }
        found.Sort();
        return [.. found.Take(filter.Limit).Select(job => job.Seq)];
    }

    private static List<string> Tenants(WriteScope scope) =>
        ["", .. LooseScan.Values(last => scope.Prepare($"SELECT tenant {Dead} AND tenant > ?1 ORDER BY tenant LIMIT 1").Bind(1, last))];

    private static List<string> Codes(WriteScope scope, string tenant) =>
        ["", .. LooseScan.Values(last => scope.Prepare($"SELECT {Code} {Dead} AND tenant = ?1 AND {Code} > ?2 ORDER BY {Code} LIMIT 1").Bind(1, tenant).Bind(2, last))];
}
