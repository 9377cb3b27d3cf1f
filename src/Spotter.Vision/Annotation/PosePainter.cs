namespace Spotter.Vision.Annotation;

/// <summary>Draws the keypoints of an object and what joins them.</summary>
internal static class PosePainter
{
    // Points that the model does not believe in itself lie anywhere.
    private const double Seen = 0.25;

    public static void Paint(Brush brush, IReadOnlyList<Keypoint> points, IReadOnlyList<IReadOnlyList<int>>? skeleton, Box box, LabelStyle style)
    {
        // People far away are drawn with thinner lines than those near by.
        var width = Math.Clamp((box.Y2 - box.Y1) / 60, 1.5, style.Stroke * 1.5);
        for (var limb = 0; limb < (skeleton?.Count ?? 0); limb++)
        {
            if (skeleton![limb] is [var from, var to] && At(points, from) is { } a && At(points, to) is { } b)
                brush.Line(a, b, width, Palette.Of(limb));
        }
        for (var i = 0; i < points.Count; i++)
        {
            if (At(points, i) is not { } point)
                continue;
            brush.Line(point, point, width * 2.4, Colour.Ink);
            brush.Line(point, point, width * 1.6, Colour.White);
        }
    }

    private static Point? At(IReadOnlyList<Keypoint> points, int index) =>
        index >= 0 && index < points.Count && points[index] is var point && point.Confidence is null or >= Seen && point is not { X: 0, Y: 0 }
            ? new Point(point.X, point.Y)
            : null;
}
