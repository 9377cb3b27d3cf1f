using System.Numerics.Tensors;

namespace Spotter.Vision.Boxes;

/// <summary>A rectangle in pixels of a map, turned around its middle.</summary>
/// <param name="X">Its middle, from the left.</param>
/// <param name="Y">Its middle, from the top.</param>
/// <param name="Width">The edge along the angle.</param>
/// <param name="Height">The other edge.</param>
/// <param name="Angle">Radians by which the width is turned clockwise.</param>
internal readonly record struct TurnedRectangle(double X, double Y, double Width, double Height, double Angle)
{
    /// <summary>The smallest one around a region: one of its edges lies along an edge of the region's hull.</summary>
    public static TurnedRectangle Around(List<MapRun> region)
    {
        var hull = Hull(region);
        var best = new TurnedRectangle(0, 0, double.PositiveInfinity, double.PositiveInfinity, 0);
        for (var i = 0; i < hull.Count; i++)
        {
            var (from, to) = (hull[i], hull[(i + 1) % hull.Count]);
            // One pixel has no edge: any direction will do.
            var length = Math.Max(1e-9, double.Hypot(to.X - from.X, to.Y - from.Y));
            var (cosine, sine) = hull.Count == 1 ? (1, 0) : ((to.X - from.X) / length, (to.Y - from.Y) / length);
            var fitted = Along(hull, cosine, sine);
            if (fitted.Width * fitted.Height < best.Width * best.Height)
                best = fitted;
        }
        return best;
    }

    /// <summary>The mean of a map within it, over the pixels whose middle it covers; 0 when there are none.</summary>
    /// <param name="map">The map, row by row.</param>
    /// <param name="width">Width of a row.</param>
    public double MeanOf(ReadOnlySpan<float> map, int width)
    {
        ReadOnlySpan<(double X, double Y)> corners = [Corner(-0.5, -0.5), Corner(0.5, -0.5), Corner(0.5, 0.5), Corner(-0.5, 0.5)];
        double top = double.PositiveInfinity, bottom = double.NegativeInfinity, sum = 0;
        foreach (var (_, y) in corners)
            (top, bottom) = (Math.Min(top, y), Math.Max(bottom, y));
        long pixels = 0;
        var (first, last) = (Math.Max(0, (int)Math.Ceiling(top - 0.5)), Math.Min((map.Length / width) - 1, (int)Math.Floor(bottom - 0.5)));
        for (var row = first; row <= last; row++)
        {
            var (left, right) = Crossings(corners, row + 0.5);
            var (from, to) = (Math.Max(0, (int)Math.Ceiling(left - 0.5)), Math.Min(width - 1, (int)Math.Floor(right - 0.5)));
            if (to < from)
                continue;
            sum += TensorPrimitives.Sum(map.Slice((row * width) + from, to - from + 1));
            pixels += to - from + 1;
        }
        return pixels == 0 ? 0 : sum / pixels;
    }

    private (double X, double Y) Corner(double along, double across)
    {
        var (sine, cosine) = Math.SinCos(Angle);
        return (X + (along * Width * cosine) - (across * Height * sine), Y + (along * Width * sine) + (across * Height * cosine));
    }

    /// <summary>Where a row enters and leaves a rectangle.</summary>
    private static (double Left, double Right) Crossings(ReadOnlySpan<(double X, double Y)> corners, double y)
    {
        double left = double.PositiveInfinity, right = double.NegativeInfinity;
        for (var i = 0; i < corners.Length; i++)
        {
            var (a, b) = (corners[i], corners[(i + 1) % corners.Length]);
            if (y < Math.Min(a.Y, b.Y) || y > Math.Max(a.Y, b.Y))
                continue;
            var share = a.Y == b.Y ? 0 : (y - a.Y) / (b.Y - a.Y);
            var x = a.X + (share * (b.X - a.X));
            (left, right) = (Math.Min(left, x), Math.Max(right, x));
            if (a.Y == b.Y)
                (left, right) = (Math.Min(left, b.X), Math.Max(right, b.X));
        }
        return (left, right);
    }

    /// <summary>The rectangle in one direction. A pixel is as wide as it is high, so half of one is beyond its middle on each side.</summary>
    private static TurnedRectangle Along(List<(int X, int Y)> hull, double cosine, double sine)
    {
        double left = double.PositiveInfinity, right = double.NegativeInfinity, top = double.PositiveInfinity, bottom = double.NegativeInfinity;
        foreach (var (x, y) in hull)
        {
            var (along, across) = ((x * cosine) + (y * sine), (y * cosine) - (x * sine));
            (left, right) = (Math.Min(left, along), Math.Max(right, along));
            (top, bottom) = (Math.Min(top, across), Math.Max(bottom, across));
        }
        var (middle, level) = ((left + right) / 2, (top + bottom) / 2);
        return new((middle * cosine) - (level * sine) + 0.5, (middle * sine) + (level * cosine) + 0.5, right - left + 1, bottom - top + 1, Math.Atan2(sine, cosine));
    }

    /// <summary>The corners of the convex hull of the pixels' middles (Andrew's monotone chain: the ends of runs are in order already).</summary>
    private static List<(int X, int Y)> Hull(List<MapRun> region)
    {
        var hull = new List<(int X, int Y)>();
        for (var i = 0; i < region.Count; i++)
        {
            Turn(hull, 0, (region[i].From, region[i].Y));
            Turn(hull, 0, (region[i].To, region[i].Y));
        }
        var lower = hull.Count - 1;
        for (var i = region.Count - 1; i >= 0; i--)
        {
            Turn(hull, lower, (region[i].To, region[i].Y));
            Turn(hull, lower, (region[i].From, region[i].Y));
        }
        // It ends where it began.
        if (hull.Count > 1)
            hull.RemoveAt(hull.Count - 1);
        return hull;
    }

    /// <summary>Adds a point to a chain that turns one way only.</summary>
    private static void Turn(List<(int X, int Y)> chain, int first, (int X, int Y) point)
    {
        if (chain.Count > 0 && chain[^1] == point)
            return;
        while (chain.Count - first >= 2 && Side(chain[^2], chain[^1], point) <= 0)
            chain.RemoveAt(chain.Count - 1);
        chain.Add(point);
    }

    private static long Side((int X, int Y) a, (int X, int Y) b, (int X, int Y) c) => ((long)(b.Y - a.Y) * (c.X - a.X)) - ((long)(b.X - a.X) * (c.Y - a.Y));
}
