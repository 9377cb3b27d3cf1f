using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Tints the pixels of each class in its colour, draws their outlines, and says in a corner which is which.</summary>
internal static class RegionPainter
{
    public static void Paint(Canvas canvas, IReadOnlyList<ClassRegion> regions)
    {
        var style = LabelStyle.For(canvas.Width, canvas.Height, labels: 1);
        var brush = new Brush(canvas);
        var shown = regions.Where(r => r.Polygons.Count > 0).ToList();
        foreach (var region in shown)
        {
            var colour = Palette.Of(region.ClassId);
            Fill(brush, canvas, [.. region.Polygons, .. region.Holes], colour);
            foreach (var outline in region.Polygons.Concat(region.Holes))
                MaskPainter.Outline(brush, outline, Math.Max(1, style.Stroke * 0.5), colour);
        }
        if (shown.Count > 0)
            LabelList.Paint(canvas, [.. shown.Select(r => (r.Label, r.Share, Palette.Of(r.ClassId)))]);
    }

    /// <summary>Tints what an odd number of outlines is around: within them, and not within a hole.</summary>
    private static void Fill(Brush brush, Canvas canvas, IReadOnlyList<IReadOnlyList<double>> outlines, Colour colour)
    {
        var crossings = new List<double>?[canvas.Height];
        foreach (var outline in outlines)
        {
            for (var i = 0; i + 1 < outline.Count; i += 2)
            {
                var next = i + 3 < outline.Count ? i + 2 : 0;
                Cross(crossings, outline[i], outline[i + 1], outline[next], outline[next + 1]);
            }
        }
        for (var y = 0; y < crossings.Length; y++)
        {
            if (crossings[y] is not { } row)
                continue;
            row.Sort();
            for (var i = 0; i + 1 < row.Count; i += 2)
                brush.Tint(Pixel(row[i]), y, Pixel(row[i + 1]), y + 1, colour, MaskPainter.Ink);
        }

        // The first pixel whose middle is beyond.
        int Pixel(double x) => (int)Math.Ceiling(Math.Clamp(x, 0, canvas.Width) - 0.5);
    }

    /// <summary>Notes where a side crosses the middles of rows.</summary>
    private static void Cross(List<double>?[] rows, double x1, double y1, double x2, double y2)
    {
        if (!double.IsFinite(x1 + y1 + x2 + y2) || y1 == y2)
            return;
        var (top, bottom) = (Math.Min(y1, y2), Math.Max(y1, y2));
        var last = (int)Math.Ceiling(Math.Clamp(bottom, 0, rows.Length) - 0.5);
        for (var y = (int)Math.Ceiling(Math.Clamp(top, 0, rows.Length) - 0.5); y < last; y++)
            (rows[y] ??= []).Add(x1 + ((y + 0.5 - y1) * (x2 - x1) / (y2 - y1)));
    }
}
