using System.Net.Sockets;
using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>What the server's errors mean to callers of the ports.</summary>
internal static class PostgresFault
{
    /// <summary>What they mean to calls that were sent together.</summary>
    public static BatchFaults OfBatches { get; } = new("the PostgreSQL server", IsCollision, IsOfStatement, IsFault, ToRefusal);

    /// <summary>True for errors of the server or of the way to it, as opposed to faults of our own.</summary>
    public static bool IsFault(Exception error) =>
        error is NpgsqlException or TimeoutException or SocketException or IOException or ObjectDisposedException
        || (error is InvalidOperationException && error.Source == "Npgsql")
        // A connection that reads what was meant for another statement; it is closed then.
        || (error.GetType() == typeof(Exception) && error.Source == "Npgsql");

    /// <summary>True when the statement itself was refused, so that its other items may succeed without the culprit.</summary>
    public static bool IsOfStatement(Exception error) =>
        error is PostgresException { SqlState: { Length: 5 } state } && state[..2] is "22" or "23" or "21"
        || error is System.Text.EncoderFallbackException;

    /// <summary>True when the same statement may succeed if it is simply sent again: nothing of it was done.</summary>
    public static bool IsCollision(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>The refusal that callers of the ports hear. The server's words are kept, as they never hold the password.</summary>
    public static SpotterException ToRefusal(Exception error) => error switch
    {
        SpotterException refusal => refusal,
        PostgresException server => ToRefusal(server),
        System.Text.EncoderFallbackException => NotText(error),
        ObjectDisposedException => new(ErrorCodes.StoreUnavailable, "The job store is being closed; try again once the service is back.", error),
        TimeoutException or NpgsqlException { InnerException: TimeoutException } => new(
            ErrorCodes.StoreUnavailable, "The PostgreSQL server took too long to answer; try again in some seconds.", error),
        NpgsqlException { InnerException: System.Security.Authentication.AuthenticationException untrusted } => new(
            ErrorCodes.StoreUnavailable,
            $"The certificate of the PostgreSQL server is not trusted ({untrusted.Message.TrimEnd('.')}); name its authority's certificate with sslrootcert=FILE in the address, and the server as the certificate names it, or take sslmode=require.", error),
        NpgsqlException { SqlState: null, InnerException: null } plain when plain.Message.Contains("SSL", StringComparison.Ordinal) => new(
            ErrorCodes.StoreUnavailable, "The PostgreSQL server takes no encrypted connections, which the address asks for (sslmode); turn TLS on there, or take sslmode=prefer.", error),
        _ => new(ErrorCodes.StoreUnavailable, $"The PostgreSQL server can't be reached ({(error.InnerException ?? error).Message.TrimEnd('.')}); see that it runs and that its address is right, or try again in some seconds.", error),
    };

    private static SpotterException ToRefusal(PostgresException error) => error.SqlState switch
    {
        PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled
            or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure => new(
                ErrorCodes.Busy, "The job store is held up by others who use it; try again in some seconds.", error),
        PostgresErrorCodes.DiskFull => new(
            ErrorCodes.DiskFull, "The disk of the PostgreSQL server is full; free some space and try again.", error),
        PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter => NotText(error),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => new(
            ErrorCodes.StoreUnavailable, "The PostgreSQL server refuses the user or the password; correct them in its address.", error),
        PostgresErrorCodes.InvalidCatalogName => new(
            ErrorCodes.StoreUnavailable, "The PostgreSQL server has no database of that name; create it, or correct the address.", error),
        PostgresErrorCodes.InsufficientPrivilege => new(
            ErrorCodes.StoreUnavailable, $"The user may not do that in the database ({error.MessageText}); grant it, or use another user.", error),
        PostgresErrorCodes.ReadOnlySqlTransaction => new(
            ErrorCodes.StoreUnavailable, "The PostgreSQL server takes no changes (a standby?); point the address at the primary.", error),
        { } state when state.StartsWith("23", StringComparison.Ordinal) => new(
            ErrorCodes.Internal, "The job store refused a row that breaks its rules.", error),
        { } state when state[..2] is "08" or "53" or "57" => new(
            ErrorCodes.StoreUnavailable, $"The PostgreSQL server can't serve at the moment ({error.MessageText}); try again in some seconds.", error),
        _ => new(ErrorCodes.StoreUnavailable, $"The job store failed ({error.SqlState}: {error.MessageText}); look at the PostgreSQL server's log.", error),
    };

    private static SpotterException NotText(Exception error) =>
        new(ErrorCodes.InvalidRequest, "A name holds characters that can't be stored; leave out control characters.", error);
}
