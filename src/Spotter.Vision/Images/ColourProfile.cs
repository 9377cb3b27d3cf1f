using System.Buffers.Binary;

namespace Spotter.Vision.Images;

/// <summary>
/// Tells from an ICC profile's header and tables (ICC.1) whether colours have to be converted, and how. Most pictures with a
/// profile have one of the many that say sRGB, and these cost nothing; those of cameras and screens are three curves and a
/// matrix, which <see cref="ColourTable"/> applies; the rest is left to libvips.
/// </summary>
internal static class ColourProfile
{
    // Profiles of printers have up to three; more is nothing that a picture needs.
    private const int LargestProfile = 4 << 20;
    private const int HeaderBytes = 128;
    private const int MostTags = 100;

    // Of X, Y or Z: profiles can't say more in their numbers for them.
    private const double LargestPart = 2;

    /// <summary>True when the profile of a picture with colours is one of its kind, and not just sRGB.</summary>
    /// <param name="profile">The profile as it is embedded.</param>
    /// <param name="isInk">True for a picture of four inks, false for one of red, green and blue.</param>
    public static bool Counts(ReadOnlySpan<byte> profile, bool isInk)
    {
        if (profile.Length is < HeaderBytes + 4 or > LargestProfile || !profile[36..].StartsWith("acsp"u8))
            return false;
        // Of a screen, a scanner, a printer or a space: others say how colours are changed, and not which they are.
        if (!IsOneOf(profile[12..16], "mntr"u8, "scnr"u8, "prtr"u8, "spac"u8))
            return false;
        var space = profile[16..20];
        return isInk ? space.SequenceEqual("CMYK"u8) : space.SequenceEqual("RGB "u8) && !IsSrgb(profile);
    }

    /// <summary>What converts 8-bit pixels of a profile that counts; null for one that is more than three curves and a matrix.</summary>
    public static ColourTable? TableOf(ReadOnlySpan<byte> profile)
    {
        if (HasTables(profile) || !profile[20..].StartsWith("XYZ "u8))
            return null;
        var primaries = new double[3][];
        for (var colour = 0; colour < 3; colour++)
        {
            if (!TryReadPrimary(Tag(profile, PrimaryTag(colour)), out primaries[colour]) || Array.Exists(primaries[colour], part => Math.Abs(part) > LargestPart))
                return null;
        }
        var curves = new double[3][];
        for (var colour = 0; colour < 3; colour++)
        {
            // Most profiles have one curve and name it three times.
            var isSame = colour > 0 && Tag(profile, CurveTag(colour)) == Tag(profile, CurveTag(colour - 1));
            if (isSame)
                curves[colour] = curves[colour - 1];
            else if (!ToneCurve.TryRead(Tag(profile, CurveTag(colour)), out curves[colour]))
                return null;
            // Black that is no black has to be made so, which is more than a matrix does.
            if (curves[colour][0] > 0)
                return null;
        }
        return new ColourTable(curves, primaries);
    }

    private static bool IsOneOf(ReadOnlySpan<byte> word, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d) =>
        word.SequenceEqual(a) || word.SequenceEqual(b) || word.SequenceEqual(c) || word.SequenceEqual(d);

    private static bool IsSrgb(ReadOnlySpan<byte> profile)
    {
        const double tolerance = 0.003; // less than one level of 255
        if (HasTables(profile))
            return false;
        for (var colour = 0; colour < 3; colour++)
        {
            if (!TryReadPrimary(Tag(profile, PrimaryTag(colour)), out var primary))
                return false;
            for (var i = 0; i < 3; i++)
            {
                if (Math.Abs(primary[i] - Srgb.Primaries[colour][i]) > tolerance)
                    return false;
            }
        }
        for (var colour = 0; colour < 3; colour++)
        {
            var isSame = colour > 0 && Tag(profile, CurveTag(colour)) == Tag(profile, CurveTag(colour - 1));
            if (!isSame && !IsSrgbCurve(Tag(profile, CurveTag(colour))))
                return false;
        }
        return true;
    }

    /// <summary>True for a profile that goes by tables, whatever else it has.</summary>
    private static bool HasTables(ReadOnlySpan<byte> profile) => !Tag(profile, "A2B0"u8).IsEmpty || !Tag(profile, "D2B0"u8).IsEmpty;

    private static ReadOnlySpan<byte> PrimaryTag(int colour) => colour switch { 0 => "rXYZ"u8, 1 => "gXYZ"u8, _ => "bXYZ"u8 };

    private static ReadOnlySpan<byte> CurveTag(int colour) => colour switch { 0 => "rTRC"u8, 1 => "gTRC"u8, _ => "bTRC"u8 };

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

    /// <summary>X, Y and Z of a colour, under D50.</summary>
    private static bool TryReadPrimary(ReadOnlySpan<byte> tag, out double[] xyz)
    {
        xyz = new double[3];
        if (tag.Length < 20 || !tag.StartsWith("XYZ "u8))
            return false;
        for (var i = 0; i < 3; i++)
            xyz[i] = BinaryPrimitives.ReadInt32BigEndian(tag[(8 + (4 * i))..]) / 65_536.0;
        return true;
    }

    private static bool IsSrgbCurve(ReadOnlySpan<byte> tag)
    {
        if (!ToneCurve.TryRead(tag, out var curve))
            return false;
        for (var level = 0; level < curve.Length; level++)
        {
            if (Math.Abs((Srgb.Encode(curve[level]) * 255) - level) >= 1)
                return false;
        }
        return true;
    }
}
