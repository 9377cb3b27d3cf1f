using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Draws which pixels are an object's own: its colour through which they can be seen, and its outline.</summary>
internal static class MaskPainter
{
    // Two fifths: enough to tell objects apart, and what they are can still be seen.
    public const int Ink = 102;

    public static void Paint(Brush brush, Canvas canvas, Mask mask, LabelStyle style, Colour colour)
    {
        Fill(brush, canvas, mask.Rle, colour);
        var width = Math.Max(1.5, style.Stroke * 0.8);
        foreach (var outline in mask.Polygons)
            Outline(brush, outline, width, colour);
    }

    /// <summary>Draws a closed line through the points of a flat list.</summary>
    public static void Outline(Brush brush, IReadOnlyList<double> outline, double width, Colour colour)
    {
        for (var i = 0; i + 1 < outline.Count; i += 2)
        {
            var next = i + 3 < outline.Count ? i + 2 : 0;
            brush.Line(new Point(outline[i], outline[i + 1]), new Point(outline[next], outline[next + 1]), width, colour);
        }
    }

    private static void Fill(Brush brush, Canvas canvas, RunLengths runs, Colour colour)
    {
        // A mask of another picture would be torn.
        if (runs.Size is not [var height, var width] || height != canvas.Height || width != canvas.Width)
            return;
        long at = 0, end = (long)width * height;
        for (var i = 0; i < runs.Counts.Count && at < end; i++)
        {
            var until = Math.Min(end, at + Math.Max(0, runs.Counts[i]));
            // Every other run is inside; a run goes down one column and on at the top of the next.
            for (; i % 2 == 1 && at < until; at = Math.Min(until, ((at / height) + 1) * height))
            {
                var column = (int)(at / height);
                brush.TintColumn(column, (int)(at % height), (int)(Math.Min(until, ((long)column + 1) * height) - ((long)column * height)), colour, Ink);
            }
            at = until;
        }
    }
}
