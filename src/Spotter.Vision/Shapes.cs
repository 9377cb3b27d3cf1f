using System.Globalization;

namespace Spotter.Vision;

/// <summary>A point in pixels of the upright picture, origin top left.</summary>
/// <param name="X">From the left.</param>
/// <param name="Y">From the top.</param>
public readonly record struct Point(double X, double Y);

/// <summary>A point of an object that means something, as a left wrist.</summary>
/// <param name="Name">What it is; null when the model does not say.</param>
/// <param name="X">From the left, in pixels of the upright picture.</param>
/// <param name="Y">From the top.</param>
/// <param name="Confidence">How sure it is that the point can be seen, 0 to 1; null when the model does not say.</param>
public sealed record Keypoint(string? Name, double X, double Y, double? Confidence);

/// <summary>A rectangle that is turned with its object, in pixels of the upright picture.</summary>
/// <param name="CentreX">Its centre, from the left.</param>
/// <param name="CentreY">Its centre, from the top.</param>
/// <param name="Width">The edge that lies along <paramref name="Angle"/>.</param>
/// <param name="Height">The other edge.</param>
/// <param name="Angle">Degrees by which the width is turned clockwise from the horizontal, from 0 up to 180.</param>
/// <param name="Corners">Its four corners clockwise; from the first to the second it is the width, along <paramref name="Angle"/>. They may lie outside the picture.</param>
public sealed record OrientedBox(double CentreX, double CentreY, double Width, double Height, double Angle, IReadOnlyList<Point> Corners);

/// <summary>Which pixels of the picture belong to an object.</summary>
/// <param name="Polygons">Outlines as flat lists x, y, x, y … in pixels, the largest first; holes are left out.</param>
/// <param name="Rle">The same pixel by pixel, holes included.</param>
public sealed record Mask(IReadOnlyList<IReadOnlyList<double>> Polygons, RunLengths Rle);

/// <summary>
/// A bitmap in the uncompressed run-length form of the COCO data set: column by column from the top left, the number of
/// pixels outside, then inside, then outside again.
/// </summary>
/// <param name="Size">Height and width of the bitmap: the picture's.</param>
/// <param name="Counts">The runs; the first is 0 when the first pixel is inside.</param>
public sealed record RunLengths(IReadOnlyList<int> Size, IReadOnlyList<int> Counts);

/// <summary>A part of a picture, in pixels of the upright picture.</summary>
/// <param name="X">Its left edge.</param>
/// <param name="Y">Its top edge.</param>
/// <param name="Width">Its width, at least 1.</param>
/// <param name="Height">Its height, at least 1.</param>
public sealed record Region(int X, int Y, int Width, int Height)
{
    /// <summary>The whole pixels of a box with a margin, as far as they lie in a picture; at least one.</summary>
    /// <param name="box">The box.</param>
    /// <param name="margin">The margin on each side, as a share of the edge along it.</param>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    internal static Region Around(Box box, double margin, int width, int height)
    {
        var (left, right) = Along(box.X1, box.X2, margin, width);
        var (top, bottom) = Along(box.Y1, box.Y2, margin, height);
        return new Region(left, top, right - left, bottom - top);
    }

    private static (int From, int To) Along(double from, double to, double margin, int edge)
    {
        var more = margin * (to - from);
        var first = (int)Math.Clamp(Math.Floor(from - more), 0, edge - 1);
        return (first, (int)Math.Clamp(Math.Ceiling(to + more), first + 1, edge));
    }

    /// <summary>Reads <c>x,y,width,height</c> in whole pixels; null if it is anything else.</summary>
    public static Region? Parse(string? text)
    {
        var parts = (text ?? "").Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length != 4)
            return null;
        var numbers = new int[4];
        for (var i = 0; i < 4; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        }
        return numbers is [var x, var y, > 0 and var width, > 0 and var height] ? new Region(x, y, width, height) : null;
    }
}
