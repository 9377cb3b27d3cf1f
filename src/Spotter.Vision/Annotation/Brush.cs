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
            {
                int ink = text.Ink[(y * text.Width) + x];
                to[0] = Mix(to[0], colour.Red, ink);
                to[1] = Mix(to[1], colour.Green, ink);
                to[2] = Mix(to[2], colour.Blue, ink);
            }
        }
    }

    private static byte Mix(byte under, byte over, int ink) => (byte)(((under * (255 - ink)) + (over * ink) + 127) / 255);
}
