using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Spotter.Gateway.Egress;

/// <summary>
/// A URL that a stranger gave, taken apart by rules so strict that no two programs can read different hosts in it: the host is
/// ASCII without escapes, and an address is written in the one usual way.
/// </summary>
internal sealed partial record StrictUrl
{
    private const int LongestName = 253;

    private StrictUrl(Uri uri, string host, IPAddress? address) => (Uri, Host, Address) = (uri, host, address);

    public Uri Uri { get; }

    /// <summary>The host in lower case, without the dot that may end a name.</summary>
    public string Host { get; }

    /// <summary>The host when it is an address, not a name.</summary>
    public IPAddress? Address { get; }

    /// <summary>Reads one; null if it is none.</summary>
    public static StrictUrl? Parse(string text)
    {
        var match = Form().Match(text);
        if (!match.Success || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Port is < 1 or > 65535 || uri.UserInfo.Length > 0)
            return null;
        if (match.Groups["port"] is { Success: true } port && int.Parse(port.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) != uri.Port)
            return null;
        var written = match.Groups["host"].Value;
        if (written[0] == '[')
        {
            var six = ParseAddress(written[1..^1]);
            return six is not null && IPAddress.TryParse(uri.DnsSafeHost, out var same) && same.Equals(six) ? new StrictUrl(uri, written, six) : null;
        }
        if (!uri.Host.Equals(written, StringComparison.OrdinalIgnoreCase))
            return null;
        if (ParseAddress(written) is { } four)
            return new StrictUrl(uri, written, four);
        var host = Plain(written);
        return IsName(host) ? new StrictUrl(uri, host, null) : null;
    }

    /// <summary>The endpoint of a URL: scheme, host and port; the text itself when it is no URL.</summary>
    public static string EndpointOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? parsed.GetLeftPart(UriPartial.Authority) : url;

    /// <summary>
    /// An address as it is usually written: no octal, hexadecimal or left-out parts, no zone. Null if it is not one.
    /// </summary>
    public static IPAddress? ParseAddress(string text)
    {
        if (text.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(text, out var address))
            return null;
        return address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text ? address : null;
    }

    /// <summary>A name in the form in which names are compared.</summary>
#pragma warning disable CA1308 // Names are written in lower case.
    public static string Plain(string name) => (name.EndsWith('.') ? name[..^1] : name).ToLowerInvariant();
#pragma warning restore CA1308

    /// <summary>True for a name; false also for what might be taken for an address (`127.1`, `0x7f000001`).</summary>
    public static bool IsName(string host)
    {
        if (host.Length is 0 or > LongestName || !NameForm().IsMatch(host))
            return false;
        var last = host[(host.LastIndexOf('.') + 1)..];
        return !last.All(char.IsAsciiDigit) && !last.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
    }

    // What follows the host is ASCII without spaces; no fragment, which would not be sent, and no backslash, which some
    // take for a slash.
    [GeneratedRegex(
        @"\A[Hh][Tt][Tt][Pp][Ss]?://(?<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?<port>[0-9]{1,5}))?(?:[/?][!-~-[#\\]]*)?\z",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();

    [GeneratedRegex(@"\A[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NameForm();
}
