using Spotter.Vision.Boxes;

namespace Spotter.Vision.Results;

/// <summary>
/// Puts together what was found in overlapping parts of a picture. An object in two tiles is found twice, and one that
/// a tile's edge cuts is found as a fragment besides; both go when the same object was found better.
/// </summary>
internal sealed class TileMerge(Region whole)
{
    // Of a fragment's box at least so much must lie within a better one for it to be a part of the same object.
    private const double Within = 0.6;

    // In pixels: how near to a tile's edge a box must end to have been cut by it.
    private const double Near = 3;

    /// <summary>
    /// So many of the most confident finds are compared: an object is found in a handful of tiles, and of all that is left no
    /// more than <see cref="NonMaxSuppression.MaxDetections"/> are told.
    /// </summary>
    public const int MaxFinds = 5 * NonMaxSuppression.MaxDetections;

    private readonly PriorityQueue<(Detection Found, bool Cut), double> best = new();

    /// <summary>How many finds are compared.</summary>
    public int Count => best.Count;

    /// <summary>Only what is more confident than this still counts; null while all does.</summary>
    public double? Least => best.Count >= MaxFinds && best.TryPeek(out _, out var least) ? least : null;

    /// <summary>Adds what was found in one part.</summary>
    public void Add(Region part, IEnumerable<Detection> found)
    {
        foreach (var detection in found)
        {
            if (Least is not { } least)
                best.Enqueue((detection, IsCut(detection.Box, part)), detection.Confidence);
            else if (detection.Confidence > least)
                best.EnqueueDequeue((detection, IsCut(detection.Box, part)), detection.Confidence);
        }
    }

    /// <summary>What is left: the most confident first, none a double of another.</summary>
    /// <param name="iou">Of two boxes of one class that overlap more than this, one goes.</param>
    /// <param name="agnostic">Boxes of different classes are compared too.</param>
    public List<Detection> Merge(double iou, bool agnostic = false)
    {
        var kept = new List<Detection>();
        // What no edge cuts goes first, since a fragment may be as sure of itself as the whole.
        foreach (var (found, cut) in best.UnorderedItems.Select(f => f.Element).OrderBy(f => f.Cut).ThenByDescending(f => f.Found.Confidence)
            .ThenBy(f => f.Found.Box.Y1).ThenBy(f => f.Found.Box.X1).ThenBy(f => f.Found.ClassId))
        {
            if (!kept.Exists(k => (agnostic || k.ClassId == found.ClassId) && IsDouble(k, found, cut, iou)))
                kept.Add(found);
        }
        kept.Sort((a, b) => b.Confidence.CompareTo(a.Confidence));
        if (kept.Count > NonMaxSuppression.MaxDetections)
            kept.RemoveRange(NonMaxSuppression.MaxDetections, kept.Count - NonMaxSuppression.MaxDetections);
        return kept;
    }

    private static bool IsDouble(Detection better, Detection other, bool cut, double iou)
    {
        if (better.Oriented is { } a && other.Oriented is { } b)
        {
            if (RotatedOverlap.Of(Turned(a), Turned(b)) > iou)
                return true;
        }
        else if (Both(better.Box, other.Box) is > 0 and var both && both / (Area(better.Box) + Area(other.Box) - both) > iou)
        {
            return true;
        }
        return cut && Both(better.Box, other.Box) > Within * Area(other.Box);
    }

    private bool IsCut(Box box, Region part) =>
        (part.X > whole.X && box.X1 < part.X + Near)
        || (part.Y > whole.Y && box.Y1 < part.Y + Near)
        || (part.X + part.Width < whole.X + whole.Width && box.X2 > part.X + part.Width - Near)
        || (part.Y + part.Height < whole.Y + whole.Height && box.Y2 > part.Y + part.Height - Near);

    private static Candidate Turned(OrientedBox box) => new(
        (float)(box.CentreX - (box.Width / 2)), (float)(box.CentreY - (box.Height / 2)),
        (float)(box.CentreX + (box.Width / 2)), (float)(box.CentreY + (box.Height / 2)), 0, 0, 0, (float)(box.Angle * Math.PI / 180));

    private static double Both(Box a, Box b)
    {
        double width = Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1), height = Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1);
        return width > 0 && height > 0 ? width * height : 0;
    }

    private static double Area(Box box) => (box.X2 - box.X1) * (box.Y2 - box.Y1);
}
