using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Spotter.Gateway.Egress;

/// <summary>
/// The addresses that begin with the same bits. Not the framework's IPNetwork: that one finds IPv4 addresses that are
/// written as IPv6 ones in blocks where they are not (<c>::ffff:10.0.0.1</c> in <c>2000::/3</c>).
/// </summary>
internal sealed class AddressBlock
{
    private readonly byte[] first;
    private readonly int bits;

    private AddressBlock(byte[] first, int bits) => (this.first, this.bits) = (first, bits);

    /// <summary>The block of one address.</summary>
    public static AddressBlock Of(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return new AddressBlock(bytes, bytes.Length * 8);
    }

    /// <summary>Reads <c>ADDRESS/BITS</c>; false also when the address has bits behind those that count.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AddressBlock? block)
    {
        block = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || StrictUrl.ParseAddress(text[..slash]) is not { } address
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits))
            return false;
        var bytes = address.GetAddressBytes();
        if (bits > bytes.Length * 8)
            return false;
        for (var bit = bits; bit < bytes.Length * 8; bit++)
        {
            if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0)
                return false;
        }
        block = new AddressBlock(bytes, bits);
        return true;
    }

    /// <summary>Reads one that is known to be well written.</summary>
    public static AddressBlock Parse(string text) => TryParse(text, out var block) ? block : throw new FormatException($"'{text}' is no block of addresses.");

    /// <summary>Whether an address is one of them; an address of the other kind never is.</summary>
    public bool Contains(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length) || length != first.Length)
            return false;
        var whole = bits / 8;
        if (!bytes[..whole].SequenceEqual(first.AsSpan(0, whole)))
            return false;
        return bits % 8 == 0 || (bytes[whole] ^ first[whole]) >> (8 - (bits % 8)) == 0;
    }
}
