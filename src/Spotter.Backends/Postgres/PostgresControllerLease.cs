using Spotter.Scaling;

namespace Spotter.Backends.Postgres;

/// <summary>One row for each pool, which whoever holds it pushes ahead. A row and not a lock, so that poolers don't matter.</summary>
/// <param name="database">The way to the server.</param>
/// <param name="clock">
/// The time; null for the server's own, which no gateway with a wrong clock can be ahead of.
/// </param>
internal sealed class PostgresControllerLease(PostgresDatabase database, TimeProvider? clock) : IControllerLease
{
    public async Task<string> HoldAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel)
    {
        string? active;
        // Nobody is found when the row came or went just then.
        while ((active = await TryAsync(pool, holder, duration, cancel)) is null)
            cancel.ThrowIfCancellationRequested();
        return active;
    }

    public Task ReleaseAsync(string pool, string holder, CancellationToken cancel) =>
        database.WriteAsync(
            "DELETE FROM controllers WHERE pool = $1 AND holder = $2", p => p.With(pool).With(holder), _ => Task.FromResult(true), cancel);

    private Task<string?> TryAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel) =>
        database.WriteAsync(
            """
            WITH clock AS MATERIALIZED (SELECT coalesce($4, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now),
            held AS (
                INSERT INTO controllers AS c (pool, holder, until) SELECT $1, $2, now + $3 FROM clock
                ON CONFLICT (pool) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
                    WHERE c.holder = EXCLUDED.holder OR c.until <= EXCLUDED.until - $3
                RETURNING holder)
            SELECT holder FROM held
            UNION ALL SELECT holder FROM controllers WHERE pool = $1 AND NOT EXISTS (SELECT 1 FROM held)
            """,
            p => p.With(pool).With(holder).With(Microseconds.From(duration)).WithLong(clock is null ? null : Microseconds.Now(clock)),
            r => r.FirstAsync(row => row.GetString(0)),
            cancel);
}
