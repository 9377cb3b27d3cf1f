using System.Net;

namespace Spotter.Cli.Watch;

/// <summary>Where a broker is. What it prints of itself has no password in it.</summary>
/// <param name="Host">The host.</param>
/// <param name="Port">The port.</param>
/// <param name="IsSecure">True for TLS.</param>
internal sealed record MqttAddress(string Host, int Port, bool IsSecure)
{
    private const int PlainPort = 1883;
    private const int SecurePort = 8883;

    /// <summary>User and password; null for none.</summary>
    public NetworkCredential? Credentials { get; init; }

    /// <summary>Reads <c>mqtt[s]://[user:password@]host[:port]</c>; null when it is something else.</summary>
    public static MqttAddress? TryParse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("mqtt" or "mqtts") || url.Host.Length == 0
            || url.PathAndQuery.Trim('/').Length > 0 || url.Fragment.Length > 0)
        {
            return null;
        }
        var isSecure = url.Scheme == "mqtts";
        return new(url.IdnHost, url.Port > 0 ? url.Port : isSecure ? SecurePort : PlainPort, isSecure) { Credentials = SourceAddress.CredentialsOf(url) };
    }

    /// <summary>For people.</summary>
    public override string ToString() => $"the broker {(IsSecure ? "mqtts" : "mqtt")}://{Host}:{Port}";
}
