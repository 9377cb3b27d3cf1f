using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Spotter.Core;
using StackExchange.Redis;

namespace Spotter.Backends.Redis;

/// <summary>What the server's errors mean to callers of the ports.</summary>
internal static partial class RedisFault
{
    /// <summary>What they mean to calls that were sent together.</summary>
    public static BatchFaults OfBatches { get; } = new("the Redis server", _ => false, _ => false, IsFault, ToRefusal);

    /// <summary>True for errors of the server or of the way to it, as opposed to faults of our own.</summary>
    public static bool IsFault(Exception error) =>
        error is RedisException or TimeoutException or SocketException or IOException or ObjectDisposedException or AuthenticationException;

    /// <summary>The refusal that callers of the ports hear. Only what the server itself says is repeated, which never holds the password.</summary>
    public static SpotterException ToRefusal(Exception error) => error switch
    {
        SpotterException refusal => refusal,
        ObjectDisposedException => Refusal("The job store is being closed; try again once the service is back.", error),
        RedisServerException server => OfServer(server.Message, error),
        RedisConnectionException when Causes(error).OfType<RedisServerException>().FirstOrDefault() is { } server => OfServer(server.Message, error),
        RedisConnectionException when Causes(error).OfType<AuthenticationException>().FirstOrDefault() is { } untrusted => Refusal(
            untrusted.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
                ? "The certificate of the Redis server is not trusted; have this machine trust its authority, and name the server as the certificate does."
                : "The Redis server takes no encrypted connections, which rediss:// asks for; turn TLS on there, or write redis://.", error),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => Refusal(
            "The Redis server let nobody in; see whether it takes encrypted connections (rediss://) or plain ones (redis://), and whether user and password are right.", error),
        TimeoutException => Refusal("The Redis server took too long to answer; try again in some seconds.", error),
        _ => Refusal("The Redis server can't be reached; see that it runs and that its address is right, or try again in some seconds.", error),
    };

    private static IEnumerable<Exception> Causes(Exception error)
    {
        for (var cause = error.InnerException; cause is not null; cause = cause.InnerException)
            yield return cause;
    }

    private static SpotterException OfServer(string said, Exception error) => Code().Match(said).Value switch
    {
        "NOAUTH" or "WRONGPASS" => Refusal("The Redis server refuses the user or the password; correct them in its address.", error),
        "NOPERM" => Refusal("The user may not do that on the Redis server; allow it all commands but admin's on the keys spotter:* and __engine_pending_list_*.", error),
        "OOM" => Refusal("The memory of the Redis server is full; give it more (maxmemory).", error),
        "LOADING" => Refusal("The Redis server is starting; try again in some seconds.", error),
        "READONLY" => Refusal("The Redis server takes no changes (a replica?); point the address at the primary.", error),
        "MOVED" or "CROSSSLOT" => Refusal("A Redis Cluster keeps what belongs together on several servers; use a single server, with replicas if you like.", error),
        _ => Refusal($"The Redis server failed ({said.TrimEnd('.')}); look at its log.", error),
    };

    /// <summary>The word in capitals with which an error begins, perhaps behind its kind.</summary>
    [GeneratedRegex(@"\b[A-Z]{3,}\b", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Code();

    private static SpotterException Refusal(string message, Exception error) => new(ErrorCodes.StoreUnavailable, message, error);
}
