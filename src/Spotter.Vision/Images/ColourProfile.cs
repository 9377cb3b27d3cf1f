using System.Buffers.Binary;

namespace Spotter.Vision.Images;

/// <summary>
/// Tells from an ICC profile's header and tables (ICC.1) whether colours have to be converted. Most pictures with a
/// profile have one of the many that say sRGB, and these cost nothing.
/// </summary>
internal static class ColourProfile
{
    // Profiles of printers have up to three; more is nothing that a picture needs.
    private const int LargestProfile = 4 << 20;
    private const int HeaderBytes = 128;
    private const int MostTags = 100;

    // Red, green and blue of sRGB as profiles have them: XYZ under D50.
    private static readonly double[][] Primaries = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];

    /// <summary>True when the profile of a picture with colours is one of its kind, and not just sRGB.</summary>
    /// <param name="profile">The profile as it is embedded.</param>
    /// <param name="isInk">True for a picture of four inks, false for one of red, green and blue.</param>
    public static bool Counts(ReadOnlySpan<byte> profile, bool isInk)
    {
        if (profile.Length is < HeaderBytes + 4 or > LargestProfile || !profile[36..].StartsWith("acsp"u8))
            return false;
        var space = profile[16..20];
        return isInk ? space.SequenceEqual("CMYK"u8) : space.SequenceEqual("RGB "u8) && !IsSrgb(profile);
    }

    private static bool IsSrgb(ReadOnlySpan<byte> profile) =>
        Tag(profile, "A2B0"u8).IsEmpty
        && IsPrimary(Tag(profile, "rXYZ"u8), 0) && IsPrimary(Tag(profile, "gXYZ"u8), 1) && IsPrimary(Tag(profile, "bXYZ"u8), 2)
        && IsSrgbCurve(Tag(profile, "rTRC"u8)) && IsSrgbCurve(Tag(profile, "gTRC"u8)) && IsSrgbCurve(Tag(profile, "bTRC"u8));

    /// <summary>A tag's bytes; empty when the profile has none of that name.</summary>
    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> profile, ReadOnlySpan<byte> name)
    {
        var count = Math.Min(MostTags, BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderBytes..]));
        for (var at = HeaderBytes + 4; count > 0 && at + 12 <= profile.Length; count--, at += 12)
        {
            if (!profile[at..].StartsWith(name))
                continue;
            long from = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]), length = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]);
            return from + length <= profile.Length ? profile.Slice((int)from, (int)length) : default;
        }
        return default;
    }

    private static bool IsPrimary(ReadOnlySpan<byte> tag, int which)
    {
        const double tolerance = 0.003; // less than one level of 255
        if (tag.Length < 20 || !tag.StartsWith("XYZ "u8))
            return false;
        for (var i = 0; i < 3; i++)
        {
            if (Math.Abs(Fixed(tag, 8 + (4 * i)) - Primaries[which][i]) > tolerance)
                return false;
        }
        return true;
    }

    private static bool IsSrgbCurve(ReadOnlySpan<byte> tag)
    {
        const int levels = 255;
        if (tag.Length < 12)
            return false;
        for (var level = 0; level <= levels; level++)
        {
            var value = (double)level / levels;
            if (Linear(tag, value) is not { } linear || !(Math.Abs(Encode(linear) - value) * levels < 1))
                return false;
        }
        return true;
    }

    /// <summary>What a curve makes of a value; null for curves of other kinds.</summary>
    private static double? Linear(ReadOnlySpan<byte> tag, double value)
    {
        if (tag.StartsWith("curv"u8))
        {
            var points = BinaryPrimitives.ReadUInt32BigEndian(tag[8..]);
            if (points < 2 || 12 + (2L * points) > tag.Length)
                return null;
            var place = value * (points - 1);
            var left = (int)Math.Min(place, points - 2);
            return double.Lerp(Point(tag, left), Point(tag, left + 1), place - left);
        }
        // Of the parametric functions the one that sRGB is defined by.
        if (!tag.StartsWith("para"u8) || BinaryPrimitives.ReadUInt16BigEndian(tag[8..]) != 3 || tag.Length < 32)
            return null;
        double gamma = Fixed(tag, 12), a = Fixed(tag, 16), b = Fixed(tag, 20), c = Fixed(tag, 24), d = Fixed(tag, 28);
        return value >= d ? Math.Pow((a * value) + b, gamma) : c * value;
    }

    private static double Encode(double linear) => linear <= 0.0031308 ? 12.92 * linear : (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055;

    private static double Point(ReadOnlySpan<byte> tag, int index) => BinaryPrimitives.ReadUInt16BigEndian(tag[(12 + (2 * index))..]) / 65_535.0;

    private static double Fixed(ReadOnlySpan<byte> tag, int at) => BinaryPrimitives.ReadInt32BigEndian(tag[at..]) / 65_536.0;
}
