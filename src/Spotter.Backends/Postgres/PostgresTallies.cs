namespace Spotter.Backends.Postgres;

/// <summary>How many jobs stand where, kept by the statements that change jobs.</summary>
internal static class PostgresTallies
{
    /// <summary>
    /// The part of a statement that counts the rows of <c>moved (queue, priority, internal, was, state)</c>; either state may
    /// be missing, and they are never the same.
    /// </summary>
    public const string Sql = """
        tally AS (
            INSERT INTO tallies (queue, priority, internal, entered, departed, running, succeeded, failed, dead, cancelled, ended)
            SELECT m.queue, m.priority, m.internal, sum((m.state = 0)::integer), sum((m.was = 0)::integer),
                sum((m.state = 1)::integer) - sum((m.was = 1)::integer), sum((m.state = 2)::integer) - sum((m.was = 2)::integer),
                sum((m.state = 3)::integer) - sum((m.was = 3)::integer), sum((m.state = 4)::integer) - sum((m.was = 4)::integer),
                sum((m.state = 5)::integer) - sum((m.was = 5)::integer), sum((m.state >= 2)::integer)
            FROM (SELECT queue, priority, internal, coalesce(was, -1) AS was, coalesce(state, -1) AS state FROM moved) AS m
            GROUP BY m.queue, m.priority, m.internal)
        """;

    /// <summary>Makes few rows of the many that have come to be; only one gateway does so at a time.</summary>
    public const string Fold = """
        WITH alone AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' tallies of spotter', 0)) AS ours),
        gone AS (DELETE FROM tallies WHERE (SELECT alone.ours FROM alone) RETURNING *)
        INSERT INTO tallies (queue, priority, internal, entered, departed, running, succeeded, failed, dead, cancelled, ended)
        SELECT queue, priority, internal, sum(entered), sum(departed), sum(running), sum(succeeded), sum(failed), sum(dead), sum(cancelled), sum(ended)
        FROM gone GROUP BY queue, priority, internal
        """;
}
