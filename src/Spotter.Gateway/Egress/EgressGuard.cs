using System.Net;
using System.Net.Sockets;
using Spotter.Core;

namespace Spotter.Gateway.Egress;

/// <summary>
/// Keeps requests that strangers ask for from going to where only this service can reach (server-side request forgery): by default
/// they go to the public internet, on the ports that their use needs, and nowhere else. What can be seen from the URL is refused when
/// it comes; what its name leads to is looked at when a connection is made, and the very address that was looked at is dialled, so a
/// name that leads elsewhere the next time is of no use.
/// </summary>
/// <param name="use">What for.</param>
/// <param name="allowed">Places besides.</param>
/// <param name="resolve">Looks up the addresses of a name.</param>
internal sealed class EgressGuard(
    EgressUse use, IReadOnlyList<EgressAllowance> allowed, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    private const int MostAddresses = 8;

    // Names that mean something only within a network.
    private static readonly string[] InternalSuffixes =
        [".localhost", ".local", ".localdomain", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".svc", ".home.arpa", ".in-addr.arpa", ".ip6.arpa"];

    public EgressGuard(EgressUse use, IReadOnlyList<EgressAllowance> allowed)
        : this(use, allowed, static (name, cancel) => Dns.GetHostAddressesAsync(name, cancel))
    {
    }

    /// <summary>The URL, if it may be asked as far as can be seen from it.</summary>
    /// <exception cref="SpotterException">It may not; with the code of the use.</exception>
    public Uri Check(string text)
    {
        var url = StrictUrl.Parse(text) ?? throw Forbidden(
            $"is not a URL of the plain form {use.Example} (ASCII, no user name or fragment, an address written in the usual way); correct it.");
        var port = url.Uri.Port;
        if (url.Address is { } address ? OpensAddress(address, port) : OpensName(url.Host, port))
            return url.Uri;
        if (!use.Opens(url.Uri.Scheme, port))
            throw Forbidden($"is not {use.Ports}, and {use.Traffic} nowhere else; use such a URL, or have this one allowed with {use.Flag}.");
        if (url.Address is { } literal ? !PublicAddresses.Contains(literal) : IsInternal(url.Host))
            throw Forbidden($"names a host that is not in the public internet; use one that is, or have this one allowed with {use.Flag}.");
        return url.Uri;
    }

    /// <summary>Connects to an address that has been looked at: for <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="EgressBlockedException">There is one to which it may not.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var target = context.DnsEndPoint;
        var addresses = await ResolveAsync(target.Host, target.Port, cancel);
        for (var i = 0; ; i++)
        {
#pragma warning disable RS0030 // The address has been looked at.
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
#pragma warning restore RS0030
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], target.Port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i < addresses.Count - 1)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>The addresses that may be dialled for a host, all of them looked at.</summary>
    /// <exception cref="EgressBlockedException">One of them may not.</exception>
    /// <exception cref="SocketException">There are none.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal))
            return OpensAddress(literal, port) || (PublicAddresses.Contains(literal) && use.Opens(port)) ? [literal] : throw new EgressBlockedException();
        var name = StrictUrl.Plain(host);
        var isOpen = OpensName(name, port);
        if (!isOpen && (!use.Opens(port) || IsInternal(name)))
            throw new EgressBlockedException();
        var addresses = await resolve(host, cancel);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        // One bad address among good ones is not a mistake that happens to people.
        if (!Array.TrueForAll(addresses, a => PublicAddresses.Contains(a) || OpensAddress(a, port) || (isOpen && PublicAddresses.MayBeNamed(a))))
            throw new EgressBlockedException();
        return addresses.Length <= MostAddresses ? addresses : addresses[..MostAddresses];
    }

    private bool OpensAddress(IPAddress address, int port) =>
        !MetadataAddresses.Contains(address)
        && (allowed.Any(a => a.Opens(address, port)) || (address.IsIPv4MappedToIPv6 && allowed.Any(a => a.Opens(address.MapToIPv4(), port))));

    private bool OpensName(string name, int port) => allowed.Any(a => a.Opens(name, port));

    /// <summary>Names without a dot are completed by the network's own domain.</summary>
    private static bool IsInternal(string name) =>
        !name.Contains('.', StringComparison.Ordinal) || Array.Exists(InternalSuffixes, s => name.EndsWith(s, StringComparison.Ordinal));

    private SpotterException Forbidden(string why) => new(use.Code, $"The {use.Subject} {why}");
}

/// <summary>A connection was kept from an address to which it may not go.</summary>
internal sealed class EgressBlockedException() : Exception("The address is not one that may be connected to.");
