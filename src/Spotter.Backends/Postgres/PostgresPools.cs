using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>Makes the pools of connections to a server, and prepares each connection that they open.</summary>
internal static class PostgresPools
{
    /// <summary>Seconds after which a statement is given up.</summary>
    public const int CommandSeconds = 20;

    private const int ConnectSeconds = 5;

    // Every statement here goes by an index and touches few rows: the planner must not take a table for small because it was
    // when the plan was made, nor plan anew each time, nor make room for many. And nothing may wait for long, nor hold up
    // others when this process hangs.
    internal const string Session =
        "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; SET enable_bitmapscan = off;"
        + " SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_hashagg = off;"
        + " SET lock_timeout = '5s'; SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '15s'";

    /// <summary>A pool.</summary>
    /// <param name="address">The server.</param>
    /// <param name="schema">The schema, whose name was checked.</param>
    /// <param name="connections">At most so many.</param>
    /// <param name="isDurable">False where the server may lose commits when it crashes.</param>
    public static NpgsqlDataSource Open(NpgsqlConnectionStringBuilder address, string schema, int connections, bool isDurable) =>
        Create(Settings(address, connections), schema, isDurable);

    /// <summary>Where notifications are heard: each connection is a new one, and closed with its user.</summary>
    public static NpgsqlDataSource OpenListening(NpgsqlConnectionStringBuilder address, string schema)
    {
        var settings = Settings(address, 1);
        (settings.Pooling, settings.MaxAutoPrepare) = (false, 0);
        return Create(settings, schema, isDurable: false);
    }

    private static NpgsqlConnectionStringBuilder Settings(NpgsqlConnectionStringBuilder address, int connections)
    {
        var settings = new NpgsqlConnectionStringBuilder(address.ConnectionString)
        {
            MaxPoolSize = connections,
            CommandTimeout = CommandSeconds,
            // One that is given up can't be told so either.
            CancellationTimeout = -1,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
            // It would undo what Prepare sets, and nothing else is ever set.
            NoResetOnClose = true,
            ApplicationName = string.IsNullOrEmpty(address.ApplicationName) ? "spotter" : address.ApplicationName,
        };
        if (!address.ContainsKey("Timeout"))
            settings.Timeout = ConnectSeconds;
        return settings;
    }

    // As statements, since poolers refuse most of it among the parameters with which a connection starts.
    private static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder settings, string schema, bool isDurable)
    {
        var prepare = $"SET search_path = {schema}; SET synchronous_commit = {(isDurable ? "on" : "off")}; {Session}";
#pragma warning disable RS0030 // Its TLS comes from Outgoing.
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
#pragma warning restore RS0030
        builder.UseSslClientAuthenticationOptionsCallback(Outgoing.KeepToServer);
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var command = Command(connection, prepare);
                command.ExecuteNonQuery();
            },
            async connection =>
            {
                await using var command = Command(connection, prepare);
                await command.ExecuteNonQueryAsync();
            });
        return builder.Build();
    }

    // A schema name that was checked, and constants.
#pragma warning disable CA2100
    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection);
#pragma warning restore CA2100
}
