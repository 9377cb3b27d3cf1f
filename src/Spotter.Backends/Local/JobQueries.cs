using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The questions about jobs. Each names its index, as SQLite without statistics might walk through all rows
/// instead, which are a million before long.
/// </summary>
internal static class JobQueries
{
    public static List<JobRow> List(SqliteConnection connection, JobFilter filter)
    {
        var rows = new List<JobRow>();
        if (filter.Limit <= 0)
            return rows;
        var before = long.MaxValue;
        if (filter.After is { } after)
        {
            using var cursor = connection.Prepare("SELECT seq FROM jobs WHERE id = ?1").Bind(1, after);
            // The oldest rows are deleted first, so there is nothing before a row that is gone.
            if (!cursor.Step())
                return rows;
            before = cursor.Long(0);
        }

        var state = filter.State is null ? "" : "AND state = ?2 ";
        var engine = filter.Engine is null ? "" : "AND engine = ?3 ";
        var error = filter.Error is null ? "" : "AND json_extract(error, '$.code') = ?5 ";
        var tenant = filter.Tenant is null ? "" : "AND tenant = ?6 ";
        using var select = connection.Prepare(
            $"SELECT {JobRow.Columns} FROM jobs {IndexFor(filter)} WHERE internal = 0 AND seq < ?1 {Literal(filter.State)}{state}{engine}{error}{tenant}"
            + "ORDER BY seq DESC LIMIT ?4");
        select.Bind(1, before).Bind(4, filter.Limit);
        if (filter.State is { } wantedState)
            select.Bind(2, (int)wantedState);
        if (filter.Engine is { } wantedEngine)
            select.Bind(3, wantedEngine);
        if (filter.Error is { } wantedError)
            select.Bind(5, wantedError);
        if (filter.Tenant is { } wantedTenant)
            select.Bind(6, wantedTenant);
        while (select.Step())
            rows.Add(JobRow.Read(select));
        return rows;
    }

    public static IReadOnlyList<DueJob> Overdue(SqliteConnection connection, long dueBefore, int skip, int limit)
    {
        var jobs = new List<DueJob>();
        using var select = connection.Prepare("""
            SELECT id, engine, model, priority FROM jobs WHERE seq IN (
                SELECT seq FROM jobs INDEXED BY jobs_queued WHERE state = 0 AND due < ?1 ORDER BY due, seq LIMIT ?2 OFFSET ?3)
            ORDER BY due
            """).Bind(1, dueBefore).Bind(2, limit).Bind(3, skip);
        while (select.Step())
            jobs.Add(new DueJob(select.Id(0), QueueNames.Of(select.Text(1), select.TextOrNull(2)), (JobPriority)select.Int(3)));
        return jobs;
    }

    public static JobCounts Count(SqliteConnection connection, string? engine)
    {
        connection.Execute("BEGIN");
        try
        {
            Span<long> counts = stackalloc long[Enum.GetValues<JobState>().Length];
            Span<long> own = stackalloc long[counts.Length];
            using (var select = connection.Prepare("""
                SELECT internal, state, SUM(jobs) FROM tallies WHERE ?1 IS NULL OR engine = ?1 GROUP BY internal, state
                """).Bind(1, engine))
            {
                while (select.Step())
                    (select.Bool(0) ? own : counts)[select.Int(1)] = select.Long(2);
            }
            using var oldest = connection.Prepare("""
                SELECT created FROM jobs INDEXED BY jobs_queued
                WHERE state = 0 AND internal = 0 AND (?1 IS NULL OR engine = ?1) ORDER BY seq LIMIT 1
                """).Bind(1, engine);
            return new JobCounts(
                counts[0], counts[1], counts[2], counts[3], counts[4], counts[5],
                counts[0] > 0 && oldest.Step() ? Microseconds.ToTime(oldest.Long(0)) : null)
            {
                InternalQueued = own[0],
                InternalRunning = own[1],
            };
        }
        finally
        {
            connection.Execute("COMMIT");
        }
    }

    public static IReadOnlyList<QueueBacklog> Backlog(SqliteConnection connection)
    {
        var backlog = new List<QueueBacklog>();
        using var select = connection.Prepare("""
            SELECT engine, model, SUM(jobs * (internal = 0)), SUM(jobs * (internal = 1)) FROM tallies
            WHERE state = 0 GROUP BY engine, model HAVING SUM(jobs) > 0
            """);
        while (select.Step())
        {
            var model = select.Text(1);
            backlog.Add(new(QueueNames.Of(select.Text(0), model.Length == 0 ? null : model), select.Long(2), select.Long(3)));
        }
        return backlog;
    }

    public static int? Position(SqliteConnection connection, JobId id)
    {
        using var select = connection.Prepare("""
            SELECT (SELECT COUNT(*) FROM jobs AS ahead INDEXED BY jobs_queued
                    WHERE ahead.state = 0 AND ahead.engine = job.engine AND ahead.model IS job.model
                        AND (ahead.priority < job.priority OR (ahead.priority = job.priority AND ahead.seq < job.seq)))
            FROM jobs AS job WHERE id = ?1 AND state = 0
            """).Bind(1, id);
        return select.Step() ? select.Int(0) : null;
    }

    /// <summary>SQLite only uses a partial index when the condition is written out.</summary>
    private static string Literal(JobState? state) => state switch
    {
        JobState.Queued => "AND state = 0 ",
        JobState.Running => "AND state = 1 ",
        JobState.Failed or JobState.Dead or JobState.Cancelled => "AND state >= 3 ",
        _ => "",
    };

    private static string IndexFor(JobFilter filter) => filter switch
    {
        { State: JobState.Queued } => "INDEXED BY jobs_queued",
        { State: JobState.Running } => "INDEXED BY jobs_running",
        { State: JobState.Failed or JobState.Dead or JobState.Cancelled } => "INDEXED BY jobs_unlucky",
        { Engine: not null } => "INDEXED BY jobs_engine",
        _ => "NOT INDEXED",
    };
}
