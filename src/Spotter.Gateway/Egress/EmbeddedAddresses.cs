using System.Net;
using System.Net.Sockets;

namespace Spotter.Gateway.Egress;

/// <summary>
/// The IPv4 addresses inside IPv6 ones: gateways, tunnels and the machine itself send what goes to the one to the other.
/// </summary>
internal static class EmbeddedAddresses
{
    private static readonly AddressBlock Mapped = AddressBlock.Parse("::ffff:0:0/96");       // RFC 4291, 2.5.5.2
    private static readonly AddressBlock Compatible = AddressBlock.Parse("::/96");           // RFC 4291, 2.5.5.1
    private static readonly AddressBlock Translated = AddressBlock.Parse("::ffff:0:0:0/96"); // RFC 2765
    private static readonly AddressBlock Nat64 = AddressBlock.Parse("64:ff9b::/96");         // RFC 6052
    private static readonly AddressBlock LocalNat64 = AddressBlock.Parse("64:ff9b:1::/48");  // RFC 8215
    private static readonly AddressBlock SixToFour = AddressBlock.Parse("2002::/16");        // RFC 3056
    private static readonly AddressBlock Teredo = AddressBlock.Parse("2001::/32");           // RFC 4380

    /// <summary>Those that an address may lead to; a form that can be read in several ways gives all of them.</summary>
    public static IReadOnlyList<IPAddress> In(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return [];
        var b = address.GetAddressBytes();
        var last = new IPAddress(b.AsSpan(12));
        if (Mapped.Contains(address) || Compatible.Contains(address) || Translated.Contains(address) || Nat64.Contains(address))
            return [last];
        // Whoever uses this block chooses how long the part before the IPv4 address is, and byte 8 is left out (RFC 6052, 2.2).
        if (LocalNat64.Contains(address))
            return [new([b[6], b[7], b[9], b[10]]), new([b[7], b[9], b[10], b[11]]), new([b[9], b[10], b[11], b[12]]), last];
        if (SixToFour.Contains(address))
            return [new(b.AsSpan(2, 4)), .. Isatap(b, last)];
        if (Teredo.Contains(address))
            return [new(b.AsSpan(4, 4)), new([(byte)~b[12], (byte)~b[13], (byte)~b[14], (byte)~b[15]])];
        return Isatap(b, last);
    }

    /// <summary>Within any network: 0:5efe or 200:5efe, then the address (RFC 5214).</summary>
    private static IReadOnlyList<IPAddress> Isatap(byte[] b, IPAddress last) =>
        (b[8] & ~0x02) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe ? [last] : [];
}
