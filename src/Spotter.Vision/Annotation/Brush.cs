using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Draws on a canvas; what lies outside is left out.</summary>
internal readonly unsafe ref struct Brush(Canvas canvas)
{
    /// <summary>Fills a rectangle; right and bottom are not part of it.</summary>
    public void Fill(int left, int top, int right, int bottom, Colour colour)
    {
        (left, top) = (Math.Max(0, left), Math.Max(0, top));
        (right, bottom) = (Math.Min(canvas.Width, right), Math.Min(canvas.Height, bottom));
        if (left >= right || top >= bottom)
            return;
        var first = new Span<byte>(canvas.Row(top) + (left * 3), (right - left) * 3);
        for (var i = 0; i < first.Length; i += 3)
            (first[i], first[i + 1], first[i + 2]) = (colour.Red, colour.Green, colour.Blue);
        for (var y = top + 1; y < bottom; y++)
            first.CopyTo(new Span<byte>(canvas.Row(y) + (left * 3), first.Length));
    }

    /// <summary>Draws the edge of a rectangle, inwards from its sides.</summary>
    public void Frame(int left, int top, int right, int bottom, int stroke, Colour colour)
    {
        Fill(left, top, right, Math.Min(top + stroke, bottom), colour);
        Fill(left, Math.Max(bottom - stroke, top), right, bottom, colour);
        Fill(left, top, Math.Min(left + stroke, right), bottom, colour);
        Fill(Math.Max(right - stroke, left), top, right, bottom, colour);
    }

    /// <summary>Covers a rectangle with so much ink, 0 to 255; right and bottom are not part of it.</summary>
    public void Tint(int left, int top, int right, int bottom, Colour colour, int ink)
    {
        (left, top) = (Math.Max(0, left), Math.Max(0, top));
        (right, bottom) = (Math.Min(canvas.Width, right), Math.Min(canvas.Height, bottom));
        for (var y = top; y < bottom; y++)
        {
            var to = canvas.Row(y) + (left * 3);
            for (var x = left; x < right; x++, to += 3)
                Put(to, colour, ink);
        }
    }

    /// <summary>Covers a part of a column with so much ink, 0 to 255.</summary>
    public void TintColumn(int x, int top, int bottom, Colour colour, int ink)
    {
        var to = canvas.Row(top) + (x * 3);
        for (var y = top; y < bottom; y++, to += canvas.Stride)
            Put(to, colour, ink);
    }

    /// <summary>Draws a line with round ends, its edges smooth; a point when both its ends are one.</summary>
    public void Line(Point from, Point to, double width, Colour colour)
    {
        double dx = to.X - from.X, dy = to.Y - from.Y, square = (dx * dx) + (dy * dy), radius = width / 2;
        if (!double.IsFinite(square))
            return;
        var reach = radius + 1;
        int top = (int)Math.Clamp(Math.Floor(Math.Min(from.Y, to.Y) - reach), 0, canvas.Height), bottom = (int)Math.Clamp(Math.Ceiling(Math.Max(from.Y, to.Y) + reach), 0, canvas.Height);
        for (var y = top; y < bottom; y++)
        {
            // Of the line only a part is near to this row.
            var middle = y + 0.5;
            double first = 0, last = 1;
            if (Math.Abs(dy) > 1e-9)
            {
                double a = (middle - reach - from.Y) / dy, b = (middle + reach - from.Y) / dy;
                (first, last) = (Math.Clamp(Math.Min(a, b), 0, 1), Math.Clamp(Math.Max(a, b), 0, 1));
            }
            double x1 = from.X + (first * dx), x2 = from.X + (last * dx);
            int left = (int)Math.Clamp(Math.Floor(Math.Min(x1, x2) - reach), 0, canvas.Width), right = (int)Math.Clamp(Math.Ceiling(Math.Max(x1, x2) + reach), 0, canvas.Width);
            var at = canvas.Row(y) + (left * 3);
            for (var x = left; x < right; x++, at += 3)
            {
                double px = x + 0.5 - from.X, py = middle - from.Y;
                var along = square > 0 ? Math.Clamp(((px * dx) + (py * dy)) / square, 0, 1) : 0;
                double ox = px - (along * dx), oy = py - (along * dy);
                var inside = radius + 0.5 - Math.Sqrt((ox * ox) + (oy * oy));
                if (inside > 0)
                    Put(at, colour, inside >= 1 ? 255 : (int)(inside * 255));
            }
        }
    }

    /// <summary>Draws text whose line begins at a point, no further than <paramref name="limit"/> to the right.</summary>
    public void Text(TextMask text, int left, int top, int limit, Colour colour)
    {
        int x0 = left + text.Left, y0 = top + text.Top;
        int fromX = Math.Max(0, -x0), toX = Math.Min(text.Width, Math.Min(limit, canvas.Width) - x0);
        int fromY = Math.Max(0, -y0), toY = Math.Min(text.Height, canvas.Height - y0);
        for (var y = fromY; y < toY; y++)
        {
            var to = canvas.Row(y0 + y) + ((x0 + fromX) * 3);
            for (var x = fromX; x < toX; x++, to += 3)
                Put(to, colour, text.Ink[(y * text.Width) + x]);
        }
    }

    private static void Put(byte* to, Colour colour, int ink)
    {
        to[0] = Mix(to[0], colour.Red, ink);
        to[1] = Mix(to[1], colour.Green, ink);
        to[2] = Mix(to[2], colour.Blue, ink);
    }

    private static byte Mix(byte under, byte over, int ink) => (byte)(((under * (255 - ink)) + (over * ink) + 127) / 255);
}
