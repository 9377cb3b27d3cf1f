using System.Globalization;
using System.Net;

namespace Spotter.Tests.Webhooks;

/// <summary>Addresses that no webhook may go to, in all the ways in which somebody might write them.</summary>
internal static class InnerAddresses
{
    private static readonly byte[][] Inside =
    [
        [127, 0, 0, 1], [127, 255, 255, 254], [10, 0, 0, 1], [172, 16, 0, 1], [192, 168, 1, 1], [169, 254, 169, 254], [100, 64, 0, 1],
        [100, 100, 100, 200], [0, 0, 0, 0], [192, 0, 0, 192], [198, 18, 0, 1], [168, 63, 129, 16], [224, 0, 0, 1], [255, 255, 255, 255],
    ];

    /// <summary>Hosts of URLs: addresses of this machine, of private networks and of metadata services, as some program somewhere would read them.</summary>
    public static IEnumerable<string> Spellings()
    {
        foreach (var b in Inside)
        {
            var dotted = string.Join('.', b);
            var number = ((uint)b[0] << 24) | ((uint)b[1] << 16) | ((uint)b[2] << 8) | b[3];
            var (high, low) = (number >> 16, number & 0xffff);
            yield return dotted;
            yield return dotted + ".";
            yield return number.ToString(CultureInfo.InvariantCulture);
            yield return $"0x{number:x8}";
            yield return $"0X{number:X}";
            yield return "0" + Convert.ToString(number, 8);
            yield return "000" + Convert.ToString(number, 8);
            yield return string.Join('.', b.Select(p => $"0x{p:x}"));
            yield return string.Join('.', b.Select(p => "0" + Convert.ToString(p, 8)));
            yield return string.Join('.', b.Select(p => "000" + Convert.ToString(p, 8)));
            yield return $"{b[0]}.{((uint)b[1] << 16) | low}";
            yield return $"{b[0]}.{b[1]}.{low}";
            yield return $"0x{b[0]:x}.{b[1]}.0{Convert.ToString(b[2], 8)}.{b[3]}";
            yield return dotted.Replace('.', '。');
            yield return dotted.Replace('.', '．');
            yield return string.Concat(dotted.Select(c => char.IsDigit(c) ? (char)('０' + (c - '0')) : c));
            yield return dotted.Replace(".", "%2e", StringComparison.Ordinal);
            yield return string.Concat(dotted.Select(c => $"%{(int)c:x2}"));
            yield return $"example.com@{dotted}";
            yield return $"{dotted}#@example.com";
            yield return $"{dotted}\\@example.com";
            yield return $"{dotted}%00.example.com";
            yield return $"[::ffff:{dotted}]";
            yield return $"[::ffff:{high:x}:{low:x}]";
            yield return $"[0:0:0:0:0:ffff:{high:x4}:{low:x4}]";
            yield return $"[::{high:x}:{low:x}]";
            yield return $"[::ffff:0:{high:x}:{low:x}]";
            yield return $"[64:ff9b::{dotted}]";
            yield return $"[64:ff9b:1::{high:x}:{low:x}]";
            yield return $"[2002:{high:x}:{low:x}::1]";
            yield return $"[2001:0:4136:e378:8000:63bf:{high ^ 0xffff:x}:{low ^ 0xffff:x}]";
            yield return $"[fe80::5efe:{dotted}]";
        }
        foreach (var six in (string[])
            ["[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0001]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%1]",
            "[fc00::1]", "[fd00:ec2::254]", "[FD00:EC2::254]", "[fd20:ce::254]", "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[::127.0.0.1]", "[1::]", "[5f00::1]",
            "127.1", "127.0.1", "0", "0.0.0.0", "00.00", "0x0", "1", "127.0.0.1.", "127.000.000.001", "0177.1", "0x7f.1", "127.0.0.1%20", "①②⑦.0.0.1", "localhost", "LocalHost", "localhost.", "ⓛocalhost",
            "[::ffff:7f00:1", "::1", "[127.0.0.1]", "256.256.256.256", "127.0.0.0.1", "4294967296", "0x100000000", "127.0.0.1..", "127.0.0.01", "0300.0250.1.1"])
        {
            yield return six;
        }
    }

    /// <summary>Addresses of clouds' metadata services, and the IPv6 addresses that lead to one of them.</summary>
    public static IEnumerable<string> Metadata()
    {
        foreach (var known in (string[])["169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.42.42", "169.254.0.23", "100.100.100.200", "192.0.0.192", "168.63.129.16"])
        {
            var b = IPAddress.Parse(known).GetAddressBytes();
            var (high, low) = ((b[0] << 8) | b[1], (b[2] << 8) | b[3]);
            yield return known;
            foreach (var prefix in (string[])["::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "64:ff9b:1:fffe:0:0:", "fd00::5efe:", "fd00::200:5efe:", "2600:1f00::5efe:", "2600:1f00::200:5efe:", "fe80::5efe:"])
                yield return $"{prefix}{high:x}:{low:x}";
            yield return $"64:ff9b:1:{high:x}:{b[2]:x2}:{b[3]:x2}00::";                     // /48
            yield return $"64:ff9b:1:{b[0]:x2}:{b[1]:x2}:{b[2]:x2}{b[3]:x2}::";             // /56
            yield return $"64:ff9b:1:1:{b[0]:x2}:{b[1]:x2}{b[2]:x2}:{b[3]:x2}00:0";         // /64
            yield return $"2002:{high:x}:{low:x}::1";
            yield return $"2001:0:{high:x}:{low:x}::1";
            yield return $"2001:0:5db8:d822:0:0:{high ^ 0xffff:x}:{low ^ 0xffff:x}";
        }
        foreach (var six in (string[])["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fe80::a9fe:a9fe"])
            yield return six;
    }
}
