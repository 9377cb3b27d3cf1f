using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Draws the sides of zones and their names, below all that was found.</summary>
internal static class ZonePainter
{
    public static void Paint(Canvas canvas, IReadOnlyList<Zone> zones)
    {
        var style = LabelStyle.For(canvas.Width, canvas.Height, zones.Count);
        var brush = new Brush(canvas);
        for (var i = 0; i < zones.Count; i++)
        {
            // Colours from the end of the list, as those of the first classes are from its start.
            var (points, colour) = (zones[i].Points, Palette.Of(Palette.Count - 1 - i));
            for (var p = 0; p < points.Count; p++)
                brush.Line(points[p], points[(p + 1) % points.Count], style.Stroke, colour);
            var name = TextMask.Of(zones[i].Name, style.Font);
            var highest = points.MinBy(p => p.Y);
            var width = name.Right + (2 * style.Padding);
            var left = (int)Math.Clamp(highest.X, 0, Math.Max(0, canvas.Width - width));
            var top = (int)Math.Clamp(highest.Y, 0, Math.Max(0, canvas.Height - style.Line));
            brush.Fill(left, top, left + width, top + style.Line, colour);
            brush.Text(name, left + style.Padding, top + style.Rise, left + width, colour.Contrast);
        }
    }
}
