namespace Spotter.Backends.Postgres;

/// <summary>How many jobs stand where, kept by the statements that change jobs.</summary>
internal static class PostgresTallies
{
    /// <summary>
    /// The part of a statement that counts the rows of <c>moved (queue, priority, internal, was, state)</c>; either state may
    /// be missing, and they are never the same.
    /// </summary>
    public const string Sql = $"tally AS (INSERT INTO tallies ({Columns}) SELECT {Sums} FROM (SELECT {Moved} FROM moved) AS m GROUP BY {Line})";

    /// <summary>As <see cref="Sql"/>, of rows that also have <c>seconds</c>: for how long a worker was busy, null when none did it.</summary>
    public const string SqlOfEnds = $"""
        tally AS (
            INSERT INTO tallies ({Columns}, {Services})
            SELECT {Sums}, count(m.seconds), coalesce(sum(m.seconds), 0), coalesce(sum(m.seconds * m.seconds), 0)
            FROM (SELECT {Moved}, seconds FROM moved) AS m GROUP BY {Line})
        """;

    /// <summary>Makes few rows of the many that have come to be; only one gateway does so at a time.</summary>
    public const string Fold = $"""
        WITH alone AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' tallies of spotter', 0)) AS ours),
        gone AS (DELETE FROM tallies WHERE (SELECT alone.ours FROM alone) RETURNING *)
        INSERT INTO tallies ({Columns}, {Services})
        SELECT queue, priority, internal, sum(entered), sum(departed), sum(running), sum(succeeded), sum(failed), sum(dead), sum(cancelled), sum(ended),
            sum(served), sum(seconds), sum(squares)
        FROM gone GROUP BY {Line}
        """;

    private const string Line = "queue, priority, internal";

    private const string Columns = $"{Line}, entered, departed, running, succeeded, failed, dead, cancelled, ended";

    private const string Services = "served, seconds, squares";

    private const string Moved = $"{Line}, coalesce(was, -1) AS was, coalesce(state, -1) AS state";

    private const string Sums = $"""
        {Line}, sum((m.state = 0)::integer), sum((m.was = 0)::integer),
            sum((m.state = 1)::integer) - sum((m.was = 1)::integer), sum((m.state = 2)::integer) - sum((m.was = 2)::integer),
            sum((m.state = 3)::integer) - sum((m.was = 3)::integer), sum((m.state = 4)::integer) - sum((m.was = 4)::integer),
            sum((m.state = 5)::integer) - sum((m.was = 5)::integer), sum((m.state >= 2)::integer)
        """;
}
