namespace Spotter.Vision.Results;

/// <summary>
/// Which zones detections are in, and how many of each label. What counts is where an object stands: the middle of the lower edge
/// of its box. A point on a zone's side is inside; where sides cross, what they enclose an even number of times is outside.
/// </summary>
public static class ZoneCount
{
    /// <summary>The result with the zones of each detection, and their counts.</summary>
    public static VisionResult Count(VisionResult result, IReadOnlyList<Zone> zones)
    {
        if (result.Detections is not { } all)
            return result;
        List<Detection> detections = [.. all.Select(d => d with { Zones = [.. zones.Where(z => Holds(z.Points, Foot(d.Box))).Select(z => z.Name)] })];
        var counts = new OrderedDictionary<string, IReadOnlyDictionary<string, int>>(StringComparer.Ordinal);
        foreach (var zone in zones)
            counts[zone.Name] = VisionResult.Summarize(detections.Where(d => d.Zones!.Contains(zone.Name, StringComparer.Ordinal)));
        return result with { Detections = detections, Zones = counts };
    }

    /// <summary>Where an object stands.</summary>
    public static Point Foot(Box box) => new((box.X1 + box.X2) / 2, box.Y2);

    /// <summary>True for a point within a polygon, or on one of its sides.</summary>
    public static bool Holds(IReadOnlyList<Point> polygon, Point point)
    {
        var inside = false;
        for (var i = 0; i < polygon.Count; i++)
        {
            var (a, b) = (polygon[i], polygon[(i + 1) % polygon.Count]);
            var side = ((b.X - a.X) * (point.Y - a.Y)) - ((b.Y - a.Y) * (point.X - a.X));
            if (side == 0 && Between(a.X, point.X, b.X) && Between(a.Y, point.Y, b.Y))
                return true;
            // A line from the point to the right crosses the side: each corner counts for the side above it only.
            if (a.Y > point.Y != b.Y > point.Y && side > 0 == b.Y > a.Y)
                inside = !inside;
        }
        return inside;
    }

    private static bool Between(double a, double value, double b) => value >= Math.Min(a, b) && value <= Math.Max(a, b);
}
