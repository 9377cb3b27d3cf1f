namespace Spotter.Backends.Postgres;

/// <summary>Which database, and what in it is Spotter's.</summary>
internal sealed record PostgresSettings
{
    /// <summary><c>postgres://user:password@host:port/database</c>, or pairs of keys and values as Npgsql takes them.</summary>
    public required string Address { get; init; }

    /// <summary>The schema that holds the tables; several deployments may share a database.</summary>
    public string Schema { get; init; } = DefaultSchema;

    /// <summary>
    /// Time is the server's, so that gateways whose clocks differ agree on what is due. False for tests that move the
    /// clock themselves.
    /// </summary>
    public bool ServerTime { get; init; } = true;

    /// <summary>The schema unless told otherwise.</summary>
    public const string DefaultSchema = "spotter";

    /// <summary>Not the values: a password is among them.</summary>
    public override string ToString() => nameof(PostgresSettings);
}
