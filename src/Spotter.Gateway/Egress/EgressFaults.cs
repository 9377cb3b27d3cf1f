using System.Net.Sockets;
using System.Security.Authentication;

namespace Spotter.Gateway.Egress;

/// <summary>Why a request that went out came to nothing, in words that tell nothing of this network.</summary>
internal static class EgressFaults
{
    /// <summary>A sentence; null when it can't be told.</summary>
    /// <param name="failed">What happened.</param>
    /// <param name="who">The other side: the first words of the sentence.</param>
    public static string? Explain(Exception failed, string who)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationException:
                    return $"{who} has no certificate that can be trusted for its name.";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return $"{who}'s name has no address.";
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return $"{who} refused the connection.";
                case SocketException { SocketErrorCode: SocketError.ConnectionReset }:
                    return $"{who} cut the connection.";
                case SocketException:
                    return $"{who} can't be reached.";
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return $"{who}'s answer is not HTTP, or its headers are too long.";
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return $"{who} cut the connection.";
            }
        }
        return null;
    }

    /// <summary>True when the guard has kept it from its way.</summary>
    public static bool IsBlocked(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException)
        {
            if (cause is EgressBlockedException)
                return true;
        }
        return false;
    }
}
