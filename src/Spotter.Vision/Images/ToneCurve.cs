using System.Buffers.Binary;

namespace Spotter.Vision.Images;

/// <summary>Curves of ICC profiles (ICC.1, curveType and parametricCurveType): how much light each of 256 levels stands for.</summary>
internal static class ToneCurve
{
    /// <summary>Levels of an 8-bit picture.</summary>
    public const int Levels = 256;

    // Of curves in whole numbers, and of functions whose ends don't meet exactly.
    private const double Overshoot = 0.001;

    // How many numbers each of the parametric functions has.
    private static readonly int[] Parameters = [1, 3, 4, 5, 7];

    /// <summary>Reads a curve.</summary>
    /// <param name="tag">The tag's bytes.</param>
    /// <param name="light">For each level the share of the most light, 0 to 1.</param>
    /// <returns>False for what is no curve, is cut, or has no value within 0 to 1 somewhere.</returns>
    public static bool TryRead(ReadOnlySpan<byte> tag, out double[] light)
    {
        light = new double[Levels];
        for (var level = 0; level < Levels; level++)
        {
            // Light below none, or above the most, is cut off by some and not by others.
            if (At(tag, level / (Levels - 1.0)) is not { } value || value is not (>= -Overshoot and <= 1 + Overshoot))
                return false;
            light[level] = Math.Clamp(value, 0, 1);
        }
        return true;
    }

    private static double? At(ReadOnlySpan<byte> tag, double value)
    {
        if (tag.Length < 12)
            return null;
        if (tag.StartsWith("curv"u8))
            return OfPoints(tag, value);
        return tag.StartsWith("para"u8) && BinaryPrimitives.ReadUInt16BigEndian(tag[8..]) is var function && function < Parameters.Length && tag.Length >= 12 + (4 * Parameters[function])
            ? OfFunction(tag, function, value)
            : null;
    }

    private static double? OfPoints(ReadOnlySpan<byte> tag, double value)
    {
        var points = BinaryPrimitives.ReadUInt32BigEndian(tag[8..]);
        if (12 + (2L * points) > tag.Length)
            return null;
        switch (points)
        {
            case 0:
                return value;
            case 1:
                return Math.Pow(value, BinaryPrimitives.ReadUInt16BigEndian(tag[12..]) / 256.0);
            default:
                var place = value * (points - 1);
                var left = (int)Math.Min(place, points - 2);
                return double.Lerp(Point(tag, left), Point(tag, left + 1), place - left);
        }
    }

    private static double OfFunction(ReadOnlySpan<byte> tag, int function, double x)
    {
        var g = Number(tag, 0);
        if (function == 0)
            return Math.Pow(x, g);
        double a = Number(tag, 1), b = Number(tag, 2);
        if (function <= 2)
        {
            var above = function == 2 ? Number(tag, 3) : 0;
            return (a * x) + b >= 0 ? Math.Pow((a * x) + b, g) + above : above;
        }
        double c = Number(tag, 3), d = Number(tag, 4);
        var (e, f) = function == 4 ? (Number(tag, 5), Number(tag, 6)) : (0, 0);
        return x >= d ? Math.Pow((a * x) + b, g) + e : (c * x) + f;
    }

    private static double Point(ReadOnlySpan<byte> tag, int index) => BinaryPrimitives.ReadUInt16BigEndian(tag[(12 + (2 * index))..]) / 65_535.0;

    private static double Number(ReadOnlySpan<byte> tag, int index) => BinaryPrimitives.ReadInt32BigEndian(tag[(12 + (4 * index))..]) / 65_536.0;
}
