using System.Globalization;
using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>
/// Draws boxes and labels that can be read at any size of picture: stroke and font grow with it, labels stay inside it
/// and keep out of each other's way as far as there is room.
/// </summary>
internal static class BoxPainter
{
    public static void Paint(Canvas canvas, VisionResult result)
    {
        if (result.Labels is { Count: > 0 } answers)
            LabelList.Paint(canvas, [.. answers.Select(a => (a.Name, a.Confidence, Palette.Of(0)))]);
        else if (result.Reading is { Text.Length: > 0 } reading)
            LabelList.Paint(canvas, [(reading.Text, reading.Confidence, Palette.Of(0))]);
        if (result.Detections is not { Count: > 0 } detections)
            return;
        var style = LabelStyle.For(canvas.Width, canvas.Height, detections.Count);
        var brush = new Brush(canvas);

        // The most confident last, so that it lies on top.
        for (var i = detections.Count - 1; i >= 0; i--)
        {
            var (found, colour) = (detections[i], Palette.Of(detections[i].ClassId));
            if (found.Mask is { } mask)
                MaskPainter.Paint(brush, canvas, mask, style, colour);
            if (found.Oriented is { } turned)
            {
                Turned(brush, turned, style.Stroke, colour);
                continue;
            }
            var box = Pixels(found.Box, canvas, style.Stroke);
            // An outline says more than a frame, which is thinner beside it.
            var stroke = found.Mask is null && found.Keypoints is null ? style.Stroke : Math.Max(1, style.Stroke / 2);
            brush.Frame(box.Left, box.Top, box.Right, box.Bottom, stroke, colour);
        }
        foreach (var found in detections)
        {
            if (found.Keypoints is { } points)
                PosePainter.Paint(brush, points, result.Skeleton, found.Box, style);
        }
        var labels = Place(detections, style, canvas);
        for (var i = labels.Count - 1; i >= 0; i--)
            Draw(labels[i], style, brush);
    }

    private static List<LabelPlate> Place(IReadOnlyList<Detection> detections, LabelStyle style, Canvas canvas)
    {
        var placed = new List<LabelPlate>(detections.Count);
        foreach (var detection in detections)
        {
            var name = TextMask.Of(Words(detection), style.Font);
            var sure = TextMask.Of(string.Create(CultureInfo.InvariantCulture, $"{detection.Confidence * 100:0}%"), style.Font);
            var width = Math.Min(canvas.Width, style.Padding + name.Right + style.Gap + sure.Right + style.Padding);
            var box = Pixels(detection.Box, canvas, style.Stroke);
            if (detection.Oriented is { } turned)
                box = Under(HighestCorner(turned), box, width);
            var area = Place(box, width, style.Line, canvas, placed);
            placed.Add(new LabelPlate(area, name, sure, Palette.Of(detection.ClassId)));
        }
        return placed;
    }

    private static string Words(Detection detection) => detection.Then switch
    {
        { Labels: [var answer, ..] } => $"{detection.Label}: {answer.Name}",
        { Reading: { Text.Length: > 0 } reading } => reading.Text,
        _ => detection.Label,
    };

    private static void Turned(Brush brush, OrientedBox box, int stroke, Colour colour)
    {
        for (var i = 0; i < box.Corners.Count; i++)
            brush.Line(box.Corners[i], box.Corners[(i + 1) % box.Corners.Count], stroke, colour);
    }

    private static Point HighestCorner(OrientedBox box) => box.Corners.Count > 0 ? box.Corners.MinBy(c => c.Y) : new Point(box.CentreX, box.CentreY);

    /// <summary>The corner of a box that is turned is above its middle, and so is its label.</summary>
    private static Area Under(Point corner, Area box, int width)
    {
        var left = (int)Math.Clamp(corner.X - (width / 2.0), box.Left - (width / 2.0), box.Right);
        return box with { Left = left, Right = left + width };
    }

    private static void Draw(LabelPlate label, LabelStyle style, Brush brush)
    {
        var (left, top, right, bottom) = label.Area;
        brush.Fill(left, top, right, bottom, label.Colour);
        brush.Text(label.Name, left + style.Padding, top + style.Rise, right, label.Colour.Contrast);
        brush.Text(label.Sure, left + style.Padding + label.Name.Right + style.Gap, top + style.Rise, right, label.Colour.Contrast);
    }

    /// <summary>The first place that is free: on top of the box, inside it, below it, then the same at its right end.</summary>
    private static Area Place(Area box, int width, int height, Canvas canvas, List<LabelPlate> placed)
    {
        ReadOnlySpan<(int Left, int Top)> places =
        [
            (box.Left, box.Top - height), (box.Left, box.Top), (box.Left, box.Bottom),
            (box.Right - width, box.Top - height), (box.Right - width, box.Top), (box.Right - width, box.Bottom), (box.Left, box.Bottom - height),
        ];
        Area? fallback = null;
        foreach (var (wantedLeft, top) in places)
        {
            if (top < 0 || top + height > canvas.Height)
                continue;
            var left = Math.Clamp(wantedLeft, 0, canvas.Width - width);
            var area = new Area(left, top, left + width, top + height);
            fallback ??= area;
            if (!placed.Exists(other => other.Area.Meets(area)))
                return area;
        }
        return fallback ?? new Area(Math.Clamp(box.Left, 0, canvas.Width - width), 0, Math.Clamp(box.Left, 0, canvas.Width - width) + width, height);
    }

    /// <summary>The box in whole pixels within the picture, never thinner than its stroke.</summary>
    private static Area Pixels(Box box, Canvas canvas, int stroke)
    {
        var (left, right) = Span(box.X1, box.X2, canvas.Width, stroke);
        var (top, bottom) = Span(box.Y1, box.Y2, canvas.Height, stroke);
        return new Area(left, top, right, bottom);
    }

    private static (int From, int To) Span(double from, double to, int edge, int stroke)
    {
        var start = Whole(from, edge - 1);
        var end = Math.Min(edge, Math.Max(Whole(to, edge), start + stroke));
        return (start, end);
    }

    private static int Whole(double value, int most) => double.IsNaN(value) ? 0 : (int)Math.Clamp(Math.Round(value), 0, most);

    private readonly record struct LabelPlate(Area Area, TextMask Name, TextMask Sure, Colour Colour);

    private readonly record struct Area(int Left, int Top, int Right, int Bottom)
    {
        public bool Meets(Area other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}

/// <summary>Sizes in pixels of what is drawn on one picture.</summary>
internal readonly record struct LabelStyle(int Font, int Stroke)
{
    private const int SmallestFont = 11;

    public int Padding => Math.Max(3, Font / 4);

    public int Gap => Math.Max(3, Font / 3);

    /// <summary>Height of a plate.</summary>
    public int Line => (Font * 4 / 3) + 1;

    /// <summary>From the plate's top to the top of the line of text, which has room for accents.</summary>
    public int Rise => Font / 16;

    /// <summary>
    /// Pictures are looked at as large as the screen allows, so the font is a share of the longer edge, unless that
    /// would cover a long and thin picture. A crowd gets smaller ones.
    /// </summary>
    public static LabelStyle For(int width, int height, int labels)
    {
        const int crowd = 12;
        int longer = Math.Max(width, height), shorter = Math.Min(width, height);
        var font = Math.Max(SmallestFont, Math.Min(longer / (labels > crowd ? 75 : 56), shorter / 8));
        // Few sizes, so that texts are found in the cache.
        if (font > 32)
            font -= font % 4;
        return new LabelStyle(font, Math.Max(2, (font + 4) / 8));
    }
}
