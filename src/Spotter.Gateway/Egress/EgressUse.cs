using Spotter.Core;

namespace Spotter.Gateway.Egress;

/// <summary>What requests go out for that strangers ask for: where they may go by themselves, and what refusals call them.</summary>
internal sealed record EgressUse
{
    private EgressUse()
    {
    }

    /// <summary>Webhook deliveries.</summary>
    public static EgressUse Webhooks { get; } = new()
    {
        Code = ErrorCodes.CallbackForbidden, Subject = "callback", Example = "https://HOST/PATH", Ports = "https on port 443", Traffic = "webhook deliveries go", Flag = "--callback-allow",
        Open = [(Uri.UriSchemeHttps, 443)],
    };

    /// <summary>Pictures that a job names by their URL.</summary>
    public static EgressUse Pictures { get; } = new()
    {
        Code = ErrorCodes.UrlForbidden, Subject = "url", Example = "https://HOST/PATH or http://HOST/PATH", Ports = "https on port 443 or http on port 80", Traffic = "pictures are fetched from", Flag = "--fetch-allow",
        Open = [(Uri.UriSchemeHttps, 443), (Uri.UriSchemeHttp, 80)],
    };

    /// <summary>The code of a refusal.</summary>
    public required string Code { get; init; }

    /// <summary>The field that has the URL.</summary>
    public required string Subject { get; init; }

    /// <summary>How a URL is written.</summary>
    public required string Example { get; init; }

    /// <summary><see cref="Open"/> in words.</summary>
    public required string Ports { get; init; }

    /// <summary>What is done, in words that a place follows.</summary>
    public required string Traffic { get; init; }

    /// <summary>The setting that allows more.</summary>
    public required string Flag { get; init; }

    /// <summary>What is let through to public addresses.</summary>
    public required IReadOnlyList<(string Scheme, int Port)> Open { get; init; }

    /// <summary>Whether this protocol may be spoken on this port of a public address.</summary>
    public bool Opens(string scheme, int port) => Open.Contains((scheme, port));

    /// <summary>Whether anything may be spoken on this port of a public address.</summary>
    public bool Opens(int port) => Open.Any(o => o.Port == port);
}
