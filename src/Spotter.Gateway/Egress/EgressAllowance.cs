using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Spotter.Core;

namespace Spotter.Gateway.Egress;

/// <summary>
/// Places to which requests may go that strangers ask for, besides public ones: on other ports, in private networks, and for
/// webhooks by http as well.
/// Written as <c>NAME</c>, <c>*.SUFFIX</c>, <c>ADDRESS</c> or <c>ADDRESS/BITS</c>, and <c>:PORT</c> unless all ports are
/// meant; an IPv6 address with a port stands in brackets.
/// </summary>
public sealed partial class EgressAllowance
{
    private readonly string? name;
    private readonly AddressBlock? block;
    private readonly int? port;

    private EgressAllowance(string? name, AddressBlock? block, int? port) => (this.name, this.block, this.port) = (name, block, port);

    /// <summary>Reads one.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it is none.</exception>
    public static EgressAllowance Parse(string text)
    {
        var match = Form().Match(text);
        int? onPort = null;
        if (match.Groups["port"] is { Success: true } digits)
            onPort = int.TryParse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 65535 ? number : throw Invalid(text);
        if (!match.Success)
            throw Invalid(text);

        var target = match.Groups["six"] is { Success: true } six ? six.Value : match.Groups["target"].Value;
        if (match.Groups["bits"] is { Success: true } bits)
            return AddressBlock.TryParse(target + bits.Value, out var named) ? new EgressAllowance(null, named, onPort) : throw Invalid(text);
        if (StrictUrl.ParseAddress(target) is { } address)
        {
            if (MetadataAddresses.Contains(address))
                throw new SpotterException(ErrorCodes.InvalidSettings, $"'{text}' can't be allowed: it is where a cloud gives out keys; leave it out.");
            return new EgressAllowance(null, AddressBlock.Of(address), onPort);
        }
        var host = StrictUrl.Plain(target);
        return StrictUrl.IsName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host)
            ? new EgressAllowance(host, null, onPort)
            : throw Invalid(text);
    }

    /// <summary>Whether this name is meant, in lower case and without the dot at its end.</summary>
    internal bool Opens(string host, int onPort) =>
        name is not null && (port is null || port == onPort)
        && (name.StartsWith("*.", StringComparison.Ordinal) ? host.EndsWith(name[1..], StringComparison.Ordinal) : host == name);

    /// <summary>Whether this address is meant.</summary>
    internal bool Opens(IPAddress address, int onPort) =>
        block is not null && (port is null || port == onPort) && block.Contains(address);

    [GeneratedRegex(
        @"\A(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<target>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[^:/\[\]]+))(?<bits>/[0-9]{1,3})?(?::(?<port>[0-9]{1,5}))?\z",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();

    private static SpotterException Invalid(string text) => new(
        ErrorCodes.InvalidSettings,
        $"'{text}' can't be allowed; give a name, *.SUFFIX, an address or a network as 10.0.0.0/8, and :PORT unless all ports are meant.");
}
