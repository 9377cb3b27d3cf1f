namespace Spotter.Vision.Images;

/// <summary>Cuts a box out of a picture the way its text runs: one that is turned is straightened, and one that is high is laid on its side.</summary>
internal static unsafe class StraightCrop
{
    // As PaddleOCR has it: from here on a box holds a line from top to bottom, and not a few wide characters.
    private const double High = 1.5;

    // A box may reach far out of the picture; of one that does, no more is needed than can be seen.
    private const double LongestEdge = 8192;
    private const double MostPixels = 16_000_000;

    /// <summary>The crop, to be disposed of.</summary>
    /// <param name="canvas">The picture.</param>
    /// <param name="box">An upright box.</param>
    /// <param name="oriented">The turned box in it; null when there is none.</param>
    public static Canvas Of(Canvas canvas, Box box, OrientedBox? oriented)
    {
        var (x, y, width, height, angle) = oriented is { } turned
            ? (turned.CentreX, turned.CentreY, turned.Width, turned.Height, turned.Angle * Math.PI / 180)
            : ((box.X1 + box.X2) / 2, (box.Y1 + box.Y2) / 2, box.X2 - box.X1, box.Y2 - box.Y1, 0);
        // The edge that is nearer to the horizontal is the width, pointing to the right.
        var quarter = (int)Math.Round(angle / (Math.PI / 2));
        angle -= quarter * Math.PI / 2;
        if (quarter % 2 != 0)
            (width, height) = (height, width);
        if (height >= High * width)
            (width, height, angle) = (height, width, angle + (Math.PI / 2));
        return Sample(canvas, x, y, Math.Clamp(width, 1, LongestEdge), Math.Clamp(height, 1, LongestEdge), angle);
    }

    private static Canvas Sample(Canvas canvas, double middleX, double middleY, double width, double height, double angle)
    {
        var scale = Math.Min(1, Math.Sqrt(MostPixels / (width * height)));
        var crop = new Canvas(Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
        var (sine, cosine) = Math.SinCos(angle);
        double stepX = width / crop.Width, stepY = height / crop.Height;
        for (var row = 0; row < crop.Height; row++)
        {
            var to = crop.Row(row);
            var across = ((row + 0.5) * stepY) - (height / 2);
            for (var column = 0; column < crop.Width; column++, to += 3)
            {
                var along = ((column + 0.5) * stepX) - (width / 2);
                Mix(canvas, middleX + (along * cosine) - (across * sine) - 0.5, middleY + (along * sine) + (across * cosine) - 0.5, to);
            }
        }
        return crop;
    }

    /// <summary>The colour between four pixels; beyond the picture's edges it is that of the edge.</summary>
    private static void Mix(Canvas canvas, double x, double y, byte* to)
    {
        x = Math.Clamp(x, 0, canvas.Width - 1);
        y = Math.Clamp(y, 0, canvas.Height - 1);
        int left = (int)x, top = (int)y, right = Math.Min(left + 1, canvas.Width - 1), bottom = Math.Min(top + 1, canvas.Height - 1);
        double shareX = x - left, shareY = y - top;
        byte* above = canvas.Row(top), below = canvas.Row(bottom);
        for (var band = 0; band < 3; band++)
        {
            var upper = above[(left * 3) + band] + (shareX * (above[(right * 3) + band] - above[(left * 3) + band]));
            var lower = below[(left * 3) + band] + (shareX * (below[(right * 3) + band] - below[(left * 3) + band]));
            to[band] = (byte)Math.Round(upper + (shareY * (lower - upper)));
        }
    }
}
