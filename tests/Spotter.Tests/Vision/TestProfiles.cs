using System.Buffers.Binary;
using System.Text;

namespace Spotter.Tests.Vision;

/// <summary>Makes ICC profiles (ICC.1, version 2) whose effect is easy to tell.</summary>
internal static class TestProfiles
{
    private static readonly double[][] Srgb = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];

    /// <summary>What a program writes that says sRGB: its primaries, and its curve in so many points.</summary>
    public static byte[] PlainSrgb(int points) => Matrix(Srgb, Curve(points));

    /// <summary>sRGB whose bands are in the order blue, green, red.</summary>
    public static byte[] Swapped() => Matrix([Srgb[2], Srgb[1], Srgb[0]], Curve(1024));

    /// <summary>The primaries of Adobe RGB, and its gamma of 563/256.</summary>
    public static byte[] AdobeRgb() => Matrix(
        [[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]],
        [.. "curv"u8, 0, 0, 0, 0, 0, 0, 0, 1, 0x02, 0x33]);

    /// <summary>The primaries of Display P3 with a curve for each colour.</summary>
    public static byte[] P3(params byte[][] curves) => Matrix([[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]], curves);

    /// <summary>A parametric curve.</summary>
    /// <param name="function">0 to 4.</param>
    /// <param name="numbers">Its numbers in their order: g, a, b, c, d, e, f.</param>
    public static byte[] Function(byte function, params double[] numbers) => [.. "para"u8, 0, 0, 0, 0, 0, function, 0, 0, .. numbers.SelectMany(n => Word((int)Math.Round(n * 65_536)))];

    /// <summary>sRGB's curve in so many points; linear light for none.</summary>
    public static byte[] Points(int points) => Curve(points);

    /// <summary>Grey that is linear in light.</summary>
    public static byte[] LinearGrey() => Profile("GRAY", [("wtpt", Xyz([0.9642, 1, 0.8249])), ("kTRC", [.. "curv"u8, .. new byte[8]])]);

    /// <summary>A table instead of primaries, as for XYB: linear light, in the order blue, green, red.</summary>
    public static byte[] Table()
    {
        var table = new List<byte>([.. "mft2"u8, 0, 0, 0, 0, 3, 3, 2, 0]);
        for (var i = 0; i < 9; i++)
            table.AddRange(Word(i % 4 == 0 ? 0x10000 : 0));
        table.AddRange([0, 2, 0, 2]);
        byte[] ramp = [0, 0, 0xFF, 0xFF];
        for (var i = 0; i < 3; i++)
            table.AddRange(ramp);
        for (var corner = 0; corner < 8; corner++)
        {
            for (var axis = 0; axis < 3; axis++)
            {
                // The first band changes slowest.
                var sum = ((corner >> 2) * Srgb[2][axis]) + (((corner >> 1) & 1) * Srgb[1][axis]) + ((corner & 1) * Srgb[0][axis]);
                var value = (int)Math.Round(sum * 32_768);
                table.AddRange([(byte)(value >> 8), (byte)value]);
            }
        }
        for (var i = 0; i < 3; i++)
            table.AddRange(ramp);
        return Profile("RGB ", [("wtpt", Xyz([0.9642, 1, 0.8249])), ("A2B0", [.. table])]);
    }

    private static byte[] Matrix(double[][] primaries, params byte[][] curves) => Profile(
        "RGB ",
        [
            ("wtpt", Xyz([0.9642, 1, 0.8249])), ("rXYZ", Xyz(primaries[0])), ("gXYZ", Xyz(primaries[1])), ("bXYZ", Xyz(primaries[2])),
            ("rTRC", curves[0]), ("gTRC", curves[^1]), ("bTRC", curves[curves.Length / 2]),
        ]);

    private static byte[] Profile(string space, (string Name, byte[] Data)[] tags)
    {
        var directory = new List<byte>(Word(tags.Length));
        var data = new List<byte>();
        foreach (var (name, bytes) in tags)
        {
            directory.AddRange([.. Encoding.ASCII.GetBytes(name), .. Word(132 + (12 * tags.Length) + data.Count), .. Word(bytes.Length)]);
            data.AddRange([.. bytes, .. new byte[-bytes.Length & 3]]);
        }
        var header = new byte[128];
        BinaryPrimitives.WriteInt32BigEndian(header, 128 + directory.Count + data.Count);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), 0x02400000);
        Encoding.ASCII.GetBytes("mntr" + space + "XYZ ").CopyTo(header, 12);
        Encoding.ASCII.GetBytes("acsp").CopyTo(header, 36);
        Xyz([0.9642, 1, 0.8249]).AsSpan(8).CopyTo(header.AsSpan(68));
        return [.. header, .. directory, .. data];
    }

    private static byte[] Xyz(double[] numbers) => [.. "XYZ "u8, 0, 0, 0, 0, .. numbers.SelectMany(n => Word((int)Math.Round(n * 65_536)))];

    private static byte[] Curve(int points)
    {
        var curve = new List<byte>([.. "curv"u8, 0, 0, 0, 0, .. Word(points)]);
        for (var i = 0; i < points; i++)
        {
            var x = (double)i / (points - 1);
            var linear = (int)Math.Round((x <= 0.04045 ? x / 12.92 : Math.Pow((x + 0.055) / 1.055, 2.4)) * 65_535);
            curve.AddRange([(byte)(linear >> 8), (byte)linear]);
        }
        return [.. curve];
    }

    private static byte[] Word(int value)
    {
        var word = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, value);
        return word;
    }
}
