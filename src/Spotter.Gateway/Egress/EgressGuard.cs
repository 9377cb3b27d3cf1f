using System.Net;
using System.Net.Sockets;
using Spotter.Core;

namespace Spotter.Gateway.Webhooks;

/// <summary>
/// Keeps webhook deliveries from going to where only this service can reach (server-side request forgery): by default they go to
/// the public internet over https, and nowhere else. What can be seen from the URL is refused when a job is submitted; what
/// its name leads to is looked at when a connection is made, and the very address that was looked at is dialled, so a
/// name that leads elsewhere the next time is of no use.
/// </summary>
/// <param name="allowed">Endpoints besides.</param>
/// <param name="resolve">Looks up the addresses of a name.</param>
internal sealed class CallbackGuard(
    IReadOnlyList<CallbackAllowance> allowed, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    private const int MostAddresses = 8;

    // Names that mean something only within a network.
    private static readonly string[] InternalSuffixes =
        [".localhost", ".local", ".localdomain", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".svc", ".home.arpa", ".in-addr.arpa", ".ip6.arpa"];

    public CallbackGuard(IReadOnlyList<CallbackAllowance> allowed)
        : this(allowed, static (name, cancel) => Dns.GetHostAddressesAsync(name, cancel))
    {
    }

    /// <summary>The URL, if deliveries may go there as far as can be seen from it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.CallbackForbidden"/>.</exception>
    public Uri Check(string url)
    {
        var callback = CallbackUrl.Parse(url) ?? throw Forbidden(
            "The callback is not a URL of the plain form https://HOST/PATH (ASCII, no user name or fragment, an address written in the usual way); correct it.");
        var port = callback.Uri.Port;
        if (callback.Address is { } address ? OpensAddress(address, port) : OpensName(callback.Host, port))
            return callback.Uri;
        if (callback.Uri.Scheme != Uri.UriSchemeHttps || port != 443)
            throw Forbidden("The callback is not https on port 443, and webhook deliveries go nowhere else; use such an endpoint, or have this one allowed with --callback-allow.");
        if (callback.Address is { } literal ? !PublicAddresses.Contains(literal) : IsInternal(callback.Host))
            throw Forbidden("The callback's host is not in the public internet; use one that is, or have this one allowed with --callback-allow.");
        return callback.Uri;
    }

    /// <summary>The addresses that may be dialled for a host, all of them looked at.</summary>
    /// <exception cref="CallbackBlockedException">One of them may not.</exception>
    /// <exception cref="SocketException">There are none.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal))
            return OpensAddress(literal, port) || (PublicAddresses.Contains(literal) && port == 443) ? [literal] : throw new CallbackBlockedException();
        var name = CallbackUrl.Plain(host);
        var isOpen = OpensName(name, port);
        if (!isOpen && (port != 443 || IsInternal(name)))
            throw new CallbackBlockedException();
        var addresses = await resolve(host, cancel);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        // One bad address among good ones is not a mistake that happens to people.
        if (!Array.TrueForAll(addresses, a => PublicAddresses.Contains(a) || OpensAddress(a, port) || (isOpen && PublicAddresses.MayBeNamed(a))))
            throw new CallbackBlockedException();
        return addresses.Length <= MostAddresses ? addresses : addresses[..MostAddresses];
    }

    private bool OpensAddress(IPAddress address, int port) =>
        !MetadataAddresses.Contains(address)
        && (allowed.Any(a => a.Opens(address, port)) || (address.IsIPv4MappedToIPv6 && allowed.Any(a => a.Opens(address.MapToIPv4(), port))));

    private bool OpensName(string name, int port) => allowed.Any(a => a.Opens(name, port));

    /// <summary>Names without a dot are completed by the network's own domain.</summary>
    private static bool IsInternal(string name) =>
        !name.Contains('.', StringComparison.Ordinal) || Array.Exists(InternalSuffixes, s => name.EndsWith(s, StringComparison.Ordinal));

    private static SpotterException Forbidden(string message) => new(ErrorCodes.CallbackForbidden, message);
}

/// <summary>A delivery was kept from an address that it may not go to.</summary>
internal sealed class CallbackBlockedException() : Exception(Detail)
{
    /// <summary>What becomes known of it.</summary>
    public const string Detail = "blocked: the endpoint's address is not one that webhook deliveries may go to.";
}
