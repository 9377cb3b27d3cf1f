using System.Net;
using System.Net.Sockets;

namespace Spotter.Gateway.Egress;

/// <summary>
/// Which addresses lie in the public internet, by the registries of special addresses
/// (https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry).
/// </summary>
internal static class PublicAddresses
{
    private static readonly AddressBlock[] Special4 = Parse(
        "0.0.0.0/8",        // this network
        "10.0.0.0/8",       // private
        "100.64.0.0/10",    // carriers' own; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",      // loopback
        "168.63.129.16/32", // a cloud's own services, though the number is a public one
        "169.254.0.0/16",   // link-local; most clouds' metadata
        "172.16.0.0/12",    // private
        "192.0.0.0/24",     // protocol assignments; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",     // documentation
        "192.88.99.0/24",   // 6to4 relays
        "192.168.0.0/16",   // private
        "198.18.0.0/15",    // benchmarks
        "198.51.100.0/24",  // documentation
        "203.0.113.0/24",   // documentation
        "224.0.0.0/4",      // multicast
        "240.0.0.0/4");     // reserved, broadcast

    private static readonly AddressBlock LinkLocal4 = AddressBlock.Parse("169.254.0.0/16");

    // Of IPv6 only this much is given out; loopback, link-local, unique-local, multicast, mapped and translated
    // addresses all lie outside of it.
    private static readonly AddressBlock Global6 = AddressBlock.Parse("2000::/3");

    private static readonly AddressBlock[] Special6 = Parse(
        "2001::/23",     // protocol assignments, Teredo among them
        "2001:db8::/32", // documentation
        "2002::/16",     // 6to4: an IPv4 address of any kind within
        "3fff::/20");    // documentation

    /// <summary>What not even a name that was allowed may lead to: nobody's addresses, and those that mean something only on one wire.</summary>
    private static readonly AddressBlock[] Never = Parse(
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/128", "fe80::/10", "ff00::/8");

    public static bool Contains(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return !Array.Exists(Special4, n => n.Contains(address));
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0
            && Global6.Contains(address) && !Array.Exists(Special6, n => n.Contains(address)) && EmbeddedAddresses.In(address).All(Contains);
    }

    /// <summary>Whether a name that was allowed may lead there.</summary>
    public static bool MayBeNamed(IPAddress address) =>
        !MetadataAddresses.Contains(address) && !Array.Exists(Never, n => n.Contains(Plain(address)))
        && !EmbeddedAddresses.In(address).Any(LinkLocal4.Contains);

    /// <summary>An IPv4 address that is written as an IPv6 one, as itself.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static AddressBlock[] Parse(params string[] blocks) => Array.ConvertAll(blocks, AddressBlock.Parse);
}
