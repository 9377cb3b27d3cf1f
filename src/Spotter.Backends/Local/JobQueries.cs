using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The questions about jobs. Each names its index, as SQLite without statistics might walk through all rows
/// instead, which are a million before long.
/// </summary>
internal static class JobQueries
{
    /// <summary>The newest ids of a range, one more than are looked at; the order is that of the index.</summary>
    public static List<(JobId Id, bool Internal, string Tenant)> IdsIn(SqliteConnection connection, (JobId First, JobId Last) range)
    {
        var ids = new List<(JobId, bool, string)>();
        using var select = connection.Prepare("SELECT id, internal, tenant FROM jobs WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")
            .Bind(1, range.First).Bind(2, range.Last).Bind(3, JobIdSearch.MostSeen + 1);
        while (select.Step())
            ids.Add((select.Id(0), select.Bool(1), select.Text(2)));
        return ids;
    }

    public static List<JobRow> ByKeys(SqliteConnection connection, byte[] keys)
    {
        var rows = new List<JobRow>();
        using var select = connection.Prepare($"""
            SELECT {JobRow.Columns} FROM jobs INDEXED BY jobs_key
            WHERE idempotency_key IN (SELECT value FROM json_each(?1)) AND idempotency_key IS NOT NULL
            """).BindText(1, keys);
        while (select.Step())
            rows.Add(JobRow.Read(select));
        return rows;
    }

    /// <summary>The places, in the JSON list, of names that are not known.</summary>
    public static List<int> UnknownBlobs(SqliteConnection connection, byte[] names)
    {
        var unknown = new List<int>();
        using var select = connection.Prepare(
            "SELECT key FROM json_each(?1) AS wanted WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE name = wanted.value)").BindText(1, names);
        while (select.Step())
            unknown.Add(select.Int(0));
        return unknown;
    }

    public static StoreCounts Count(SqliteConnection connection, long now)
    {
        connection.Execute("BEGIN");
        try
        {
            var states = new long[Enum.GetValues<JobState>().Length];
            var own = new long[states.Length];
            long ended = 0;
            var lines = new Dictionary<(string, JobPriority), Backlog>();
            var served = new Dictionary<string, ServedJobs>(StringComparer.Ordinal);
            using (var select = connection.Prepare("SELECT queue, priority, internal, kind, n, served, seconds, squares FROM tallies"))
            {
                while (select.Step())
                {
                    var (key, kind, n) = ((Queue: select.Text(0), Priority: (JobPriority)select.Int(1)), select.Int(3), select.Long(4));
                    if (kind < states.Length)
                        (select.Bool(2) ? own : states)[kind] += n;
                    if (kind == (int)JobState.Succeeded)
                        served[key.Queue] = served.GetValueOrDefault(key.Queue) + new ServedJobs(select.Long(5), select.Double(6), select.Double(7));
                    if (kind == Tallies.Ended)
                        ended += n;
                    if (kind is not ((int)JobState.Queued or (int)JobState.Running or Tallies.Left))
                        continue;
                    var line = lines.GetValueOrDefault(key) ?? new Backlog(key.Queue, key.Priority, 0, 0) { Left = 0 };
                    lines[key] = kind == Tallies.Left ? line with { Left = n }
                        : kind == (int)JobState.Running ? line with { Running = line.Running + n }
                        : select.Bool(2) ? line with { InternalQueued = n }
                        : line with { Queued = n };
                }
            }
            return new StoreCounts(
                new JobCounts(states[0], states[1], states[2], states[3], states[4], states[5])
                {
                    Ended = ended,
                    InternalQueued = own[0],
                    InternalRunning = own[1],
                },
                [.. lines.Values.Select(line => line.All == 0 ? line : Look(connection, line, now))]) { Served = served };
        }
        finally
        {
            connection.Execute("COMMIT");
        }
    }

    /// <summary>What only the rows tell: the first, and those that are not due for a while, as far as they are counted.</summary>
    private static Backlog Look(SqliteConnection connection, Backlog line, long now)
    {
        using var delayed = connection.Prepare("""
            SELECT COUNT(*) FROM (
                SELECT 1 FROM jobs INDEXED BY jobs_ready WHERE state = 0 AND queue = ?1 AND priority = ?2 AND due > ?3 LIMIT ?4)
            """).Bind(1, line.Queue).Bind(2, (int)line.Priority).Bind(3, now + Microseconds.From(Backlog.Soon)).Bind(4, Backlog.MostCounted);
        delayed.Step();
        line = line with { Delayed = delayed.Long(0) };
        if (line.Queued == 0)
            return line;
        using var oldest = connection.Prepare("""
            SELECT created FROM (
                SELECT created, internal FROM jobs INDEXED BY jobs_ready
                WHERE state = 0 AND queue = ?1 AND priority = ?2 AND due <= ?3 ORDER BY due, seq LIMIT ?4)
            WHERE internal = 0 LIMIT 1
            """).Bind(1, line.Queue).Bind(2, (int)line.Priority).Bind(3, now).Bind(4, Backlog.MostCounted);
        return oldest.Step() ? line with { Oldest = Microseconds.ToTime(oldest.Long(0)) } : line;
    }
}
