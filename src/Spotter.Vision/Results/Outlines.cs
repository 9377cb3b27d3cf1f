namespace Spotter.Vision.Results;

/// <summary>Traces the outlines of a bitmap along the edges of its pixels, and leaves out points that make no difference.</summary>
internal static class Outlines
{
    // A mask in more pieces than this is noise.
    private const int MaxPolygons = 50;
    private const int MaxPoints = 5000;

    // The share of its area by which a simpler outline may differ.
    private const double AreaOff = 0.01;
    private const byte Traced = 2;

    /// <summary>Outer outlines as flat lists x, y, x, y … in pixels of the picture, the largest first.</summary>
    /// <param name="bitmap">Its second bit is used on the way.</param>
    /// <param name="tolerance">How far an outline may be off, in pixels.</param>
    public static IReadOnlyList<IReadOnlyList<double>> Trace(in Bitmap bitmap, double tolerance) => Flat(bitmap, Find(bitmap).FindAll(o => o.Area > 0), tolerance);

    /// <summary>As <see cref="Trace"/>, and the outlines of holes.</summary>
    public static (IReadOnlyList<IReadOnlyList<double>> Outer, IReadOnlyList<IReadOnlyList<double>> Holes) TraceAll(in Bitmap bitmap, double tolerance)
    {
        var found = Find(bitmap);
        return (Flat(bitmap, found.FindAll(o => o.Area > 0), tolerance), Flat(bitmap, found.FindAll(o => o.Area < 0), tolerance));
    }

    /// <summary>All outlines; the area of a hole, which is followed the other way round, is below 0.</summary>
    private static List<(double Area, List<(int X, int Y)> Points)> Find(in Bitmap bitmap)
    {
        var found = new List<(double Area, List<(int X, int Y)> Points)>();
        for (var y = 0; y < bitmap.Height; y++)
        {
            var row = bitmap.Row(y);
            var above = y > 0 ? bitmap.Row(y - 1) : default;
            for (var x = 0; x < row.Length; x++)
            {
                // Inside, not traced yet, and nothing of the object above it.
                if (row[x] != Bitmap.Inside || (y > 0 && (above[x] & Bitmap.Inside) != 0))
                    continue;
                var points = Follow(bitmap, x, y);
                found.Add((Area(points), points));
            }
        }
        found.Sort((a, b) => Math.Abs(b.Area).CompareTo(Math.Abs(a.Area)));
        return found;
    }

    private static List<IReadOnlyList<double>> Flat(in Bitmap bitmap, List<(double Area, List<(int X, int Y)> Points)> found, double tolerance)
    {
        var polygons = new List<IReadOnlyList<double>>(Math.Min(found.Count, MaxPolygons));
        foreach (var (area, points) in found.Take(MaxPolygons))
        {
            var flat = new List<double>();
            foreach (var (x, y) in Bounded(Simplify(points, area, tolerance)))
            {
                flat.Add(x + bitmap.Left);
                flat.Add(y + bitmap.Top);
            }
            polygons.Add(flat);
        }
        return polygons;
    }

    /// <summary>Goes around a piece, or a hole, with the object to the right; the corners on the way.</summary>
    private static List<(int X, int Y)> Follow(in Bitmap bitmap, int startX, int startY)
    {
        var points = new List<(int X, int Y)>();
        int x = startX, y = startY, dx = 1, dy = 0;
        do
        {
            if (dx == 1)
                bitmap[x, y] |= Traced;
            x += dx;
            y += dy;
            // The two pixels that lie ahead of the corner, to the right and to the left of the way.
            var ahead = (X: x + Math.Min(0, dx) + Math.Min(0, -dy), Y: y + Math.Min(0, dy) + Math.Min(0, dx));
            var right = bitmap.Has(ahead.X, ahead.Y);
            var left = bitmap.Has(ahead.X + dy, ahead.Y - dx);
            if (!right)
            {
                points.Add((x, y));
                (dx, dy) = (-dy, dx);
            }
            else if (left)
            {
                points.Add((x, y));
                (dx, dy) = (dy, -dx);
            }
        }
        while (x != startX || y != startY || dx != 1);
        return points;
    }

    private static double Area(List<(int X, int Y)> points)
    {
        long twice = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var (a, b) = (points[i], points[(i + 1) % points.Count]);
            twice += ((long)a.X * b.Y) - ((long)b.X * a.Y);
        }
        return twice / 2.0;
    }

    /// <summary>As simple as the tolerance allows while the area stays what it is; of a small piece little can be left out.</summary>
    private static List<(int X, int Y)> Simplify(List<(int X, int Y)> points, double area, double tolerance)
    {
        for (; tolerance > 0.2; tolerance /= 2)
        {
            var simple = Simplify(points, tolerance);
            if (Math.Abs(Area(simple) - area) <= AreaOff * Math.Abs(area))
                return simple;
        }
        return points;
    }

    /// <summary>An outline of more points than anybody draws is that of noise, and becomes coarser.</summary>
    private static List<(int X, int Y)> Bounded(List<(int X, int Y)> points)
    {
        for (var tolerance = 1.0; points.Count > MaxPoints; tolerance *= 2)
            points = Simplify(points, tolerance);
        return points;
    }

    /// <summary>Douglas and Peucker's way: what lies nearer to the line between two points than the tolerance goes.</summary>
    private static List<(int X, int Y)> Simplify(List<(int X, int Y)> points, double tolerance)
    {
        if (points.Count <= 4)
            return points;
        // A closed outline is cut at its first point and at the one farthest from it.
        var far = 0;
        for (var i = 1; i < points.Count; i++)
        {
            if (Distance(points[0], points[i]) > Distance(points[0], points[far]))
                far = i;
        }
        var keep = new bool[points.Count];
        keep[0] = keep[far] = true;
        var open = new Stack<(int From, int To)>([(0, far), (far, points.Count)]);
        while (open.TryPop(out var span))
        {
            var (worst, most) = (-1, tolerance);
            var end = points[span.To % points.Count];
            for (var i = span.From + 1; i < span.To; i++)
            {
                var off = Off(points[span.From], end, points[i]);
                if (off > most)
                    (worst, most) = (i, off);
            }
            if (worst < 0)
                continue;
            keep[worst] = true;
            open.Push((span.From, worst));
            open.Push((worst, span.To));
        }
        var kept = new List<(int X, int Y)>();
        for (var i = 0; i < points.Count; i++)
        {
            if (keep[i])
                kept.Add(points[i]);
        }
        return kept.Count >= 3 ? kept : points;
    }

    private static double Distance((int X, int Y) a, (int X, int Y) b) =>
        Math.Sqrt((((double)b.X - a.X) * ((double)b.X - a.X)) + (((double)b.Y - a.Y) * ((double)b.Y - a.Y)));

    /// <summary>How far a point is from the line between two others.</summary>
    private static double Off((int X, int Y) from, (int X, int Y) to, (int X, int Y) point)
    {
        var length = Distance(from, to);
        return length == 0
            ? Distance(from, point)
            : Math.Abs((((double)to.X - from.X) * (from.Y - (double)point.Y)) - ((from.X - (double)point.X) * ((double)to.Y - from.Y))) / length;
    }
}
