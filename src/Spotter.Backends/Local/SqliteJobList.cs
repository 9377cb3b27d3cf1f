using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// Finds a page of jobs. Their index has them by tenant, engine and state, and then in the order in which they came. A filter that
/// leaves one of these open is given the newest of each, and of those the newest. So a page costs what is on it, however many jobs
/// others have, or the same tenant in other states. Jobs that run, of which there are no more than workers hold, are looked
/// through: in the index of lists each would cost two more writes. Statements name their index, as SQLite without statistics
/// might walk through all rows instead.
/// </summary>
internal static class SqliteJobList
{
    private const string Code = "json_extract(error, '$.code')";

    private const string Listed = "FROM jobs INDEXED BY jobs_list WHERE internal = 0 AND state <> 1";

    private const string ListedByError = "FROM jobs INDEXED BY jobs_list_error WHERE error IS NOT NULL AND internal = 0 AND state <> 1";

    private static readonly JobState[] Indexed = [.. Enum.GetValues<JobState>().Where(state => state != JobState.Running)];

    public static List<JobRow> Read(SqliteConnection connection, JobFilter filter)
    {
        if (filter.Limit <= 0)
            return [];
        // One snapshot: a job that changes its state meanwhile is neither missed nor found twice.
        connection.Execute("BEGIN");
        try
        {
            return Before(connection, filter) is { } before ? [.. Newest(connection, filter, before).Select(seq => Row(connection, seq))] : [];
        }
        finally
        {
            connection.Execute("COMMIT");
        }
    }

    /// <summary>Only jobs that came before this place are listed. Null when the cursor is no job of the caller's, whether or not it is somebody else's.</summary>
    private static long? Before(SqliteConnection connection, JobFilter filter)
    {
        if (filter.After is not { } after)
            return long.MaxValue;
        using var cursor = connection.Prepare("SELECT seq FROM jobs WHERE id = ?1 AND internal = 0 AND (?2 IS NULL OR tenant = ?2)")
            .Bind(1, after).Bind(2, filter.Tenant);
        // The oldest rows are deleted first, so there is nothing before a row that is gone.
        return cursor.Step() ? cursor.Long(0) : null;
    }

    /// <summary>The places of the jobs on the page, newest first.</summary>
    private static IEnumerable<long> Newest(SqliteConnection connection, JobFilter filter, long before)
    {
        var page = new PriorityQueue<long, long>();
        if (filter.State is null or JobState.Running)
        {
            Add(connection.Prepare($"""
                SELECT seq FROM jobs INDEXED BY jobs_running
                WHERE state = 1 AND internal = 0 AND (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR {Code} = ?2) AND (?3 IS NULL OR engine = ?3)
                    AND seq < ?5 AND seq > ?6
                ORDER BY seq DESC LIMIT ?7
                """), filter.Tenant, filter.Engine);
        }
        var (from, code) = filter.Error is null ? (Listed, "") : (ListedByError, $"AND {Code} = ?2");
        JobState[] states = filter.State is not { } wanted ? Indexed : wanted == JobState.Running ? [] : [wanted];
        foreach (var tenant in states.Length == 0 ? [] : filter.Tenant is { } one ? [one] : Tenants(connection, from))
        {
            foreach (var engine in filter.Engine is { } only ? [only] : Engines(connection, $"{from} {code}", tenant, filter.Error))
            {
                foreach (var state in states)
                {
                    Add(connection.Prepare($"""
                        SELECT seq {from} {code} AND tenant = ?1 AND engine = ?3 AND state = ?4 AND seq < ?5 AND seq > ?6 ORDER BY seq DESC LIMIT ?7
                        """).Bind(4, (int)state), tenant, engine);
                }
            }
        }
        return page.UnorderedItems.Select(item => item.Element).OrderDescending();

        void Add(SqliteStatement newest, string? tenant, string? engine)
        {
            // Those that came before all on a full page aren't even looked at.
            using var select = newest.Bind(1, tenant).Bind(2, filter.Error).Bind(3, engine)
                .Bind(5, before).Bind(6, page.Count < filter.Limit ? long.MinValue : page.Peek()).Bind(7, filter.Limit);
            while (select.Step())
            {
                page.Enqueue(select.Long(0), select.Long(0));
                if (page.Count > filter.Limit)
                    page.Dequeue();
            }
        }
    }

    private static List<string> Tenants(SqliteConnection connection, string from) =>
        ["", .. LooseScan.Values(last => connection.Prepare($"SELECT tenant {from} AND tenant > ?1 ORDER BY tenant LIMIT 1").Bind(1, last))];

    private static List<string> Engines(SqliteConnection connection, string from, string tenant, string? error) =>
        LooseScan.Values(last => connection.Prepare($"SELECT engine {from} AND tenant = ?1 AND engine > ?3 ORDER BY engine LIMIT 1")
            .Bind(1, tenant).Bind(2, error).Bind(3, last));

    private static JobRow Row(SqliteConnection connection, long seq)
    {
        using var select = connection.Prepare($"SELECT {JobRow.Columns} FROM jobs WHERE seq = ?1").Bind(1, seq);
        select.Step();
        return JobRow.Read(select);
    }
}
