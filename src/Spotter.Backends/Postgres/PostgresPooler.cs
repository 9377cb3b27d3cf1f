using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Finds out whether something between here and the server gives out its connections by transaction, as PgBouncer does with
/// <c>pool_mode = transaction</c> (https://www.pgbouncer.org/features.html): what a session sets, prepares and listens for is
/// lost there.
/// </summary>
internal static class PostgresPooler
{
    // Others may use the pooler at the same time, and get the connection in between.
    private const int Tries = 5;

    /// <summary>Refuses a pooler of transactions.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static void Refuse(NpgsqlDataSource source)
    {
        using var one = source.OpenConnection();
        using var other = source.OpenConnection();
        for (var i = 0; i < Tries; i++)
        {
            var before = ProcessOf(one);
            using var transaction = other.BeginTransaction();
            // Two sessions that are open at the same time have a process each.
            if (ProcessOf(other) != before && ProcessOf(one) == before)
                continue;
            transaction.Rollback();
            throw new SpotterException(ErrorCodes.InvalidSettings,
                "A pooler between here and the PostgreSQL server gives out connections by transaction, with which nothing can be prepared and no notification is heard; "
                + "set pool_mode = session for this database (PgBouncer: [databases] … pool_mode=session), or give the address of the server itself.");
        }
    }

    private static int ProcessOf(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        return command.ExecuteScalar() as int? ?? 0;
    }
}
