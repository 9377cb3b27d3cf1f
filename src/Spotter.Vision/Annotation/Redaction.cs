using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>
/// Makes boxes unrecognisable. Of what was in a box only the mean colours of a few cells are left, however large it is, and with
/// <see cref="RedactionKind.Fill"/> not even these: what is painted is made of them alone, so that no detail comes through.
/// </summary>
internal static unsafe class Redaction
{
    // Along the longer edge of a box. A face is not to be told from another by so few.
    private const int MostCells = 6;

    // In pixels: a smaller cell would be hardly less than the picture itself.
    private const int SmallestCell = 8;

    // Of each edge: boxes end within what they show as often as beyond it.
    private const double Margin = 0.05;
    private const double LeastMargin = 2;

    /// <summary>Hides what is in the boxes, and a little around each.</summary>
    public static void Hide(Canvas canvas, IReadOnlyList<Box> boxes, RedactionKind kind)
    {
        foreach (var box in boxes)
        {
            if (AreaOf(box, canvas.Width, canvas.Height) is not { Width: > 0, Height: > 0 } area)
                continue;
            if (kind == RedactionKind.Fill)
                new Brush(canvas).Fill(area.X, area.Y, area.X + area.Width, area.Y + area.Height, Colour.Ink);
            else
                Paint(canvas, area, kind);
        }
    }

    /// <summary>The pixels that are hidden for a box: it with its margin, as far as it lies in the picture.</summary>
    public static Region AreaOf(Box box, int width, int height)
    {
        double across = Math.Max(LeastMargin, Margin * (box.X2 - box.X1)), down = Math.Max(LeastMargin, Margin * (box.Y2 - box.Y1));
        int left = Pixel(Math.Floor(box.X1 - across), width), top = Pixel(Math.Floor(box.Y1 - down), height);
        return new Region(left, top, Pixel(Math.Ceiling(box.X2 + across), width) - left, Pixel(Math.Ceiling(box.Y2 + down), height) - top);
    }

    /// <summary>How many cells an area is divided into.</summary>
    public static (int Columns, int Rows) CellsOf(Region area)
    {
        var cell = Math.Max(SmallestCell, (int)Math.Ceiling((double)Math.Max(area.Width, area.Height) / MostCells));
        return (Math.Max(1, area.Width / cell), Math.Max(1, area.Height / cell));
    }

    private static void Paint(Canvas canvas, Region area, RedactionKind kind)
    {
        var (columns, rows) = CellsOf(area);
        var means = Means(canvas, area, columns, rows);
        for (var y = 0; y < area.Height; y++)
        {
            var down = At(y, area.Height, rows, kind);
            var to = canvas.Row(area.Y + y) + (area.X * 3);
            for (var x = 0; x < area.Width; x++)
            {
                var across = At(x, area.Width, columns, kind);
                for (var band = 0; band < 3; band++)
                {
                    double above = Mix(means[band, down.Cell, across.Cell], means[band, down.Cell, across.Next], across.Share);
                    double below = Mix(means[band, down.Next, across.Cell], means[band, down.Next, across.Next], across.Share);
                    *to++ = (byte)Math.Round(Mix(above, below, down.Share));
                }
            }
        }
    }

    /// <summary>The mean of each cell, by band, row and column.</summary>
    private static double[,,] Means(Canvas canvas, Region area, int columns, int rows)
    {
        var sums = new long[3, rows, columns];
        var counts = new int[rows, columns];
        for (var y = 0; y < area.Height; y++)
        {
            var row = (int)((long)y * rows / area.Height);
            var from = canvas.Row(area.Y + y) + (area.X * 3);
            for (var x = 0; x < area.Width; x++)
            {
                var column = (int)((long)x * columns / area.Width);
                counts[row, column]++;
                for (var band = 0; band < 3; band++)
                    sums[band, row, column] += *from++;
            }
        }
        var means = new double[3, rows, columns];
        for (var band = 0; band < 3; band++)
        {
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                    means[band, row, column] = (double)sums[band, row, column] / counts[row, column];
            }
        }
        return means;
    }

    /// <summary>Which cell a pixel gets its colour of, and how much of the next one's.</summary>
    private static (int Cell, int Next, double Share) At(int pixel, int pixels, int cells, RedactionKind kind)
    {
        if (kind == RedactionKind.Pixelate)
            return ((int)((long)pixel * cells / pixels), 0, 0);
        var at = Math.Clamp(((pixel + 0.5) * cells / pixels) - 0.5, 0, cells - 1);
        var cell = (int)at;
        return (cell, Math.Min(cell + 1, cells - 1), at - cell);
    }

    private static double Mix(double one, double other, double share) => one + ((other - one) * share);

    private static int Pixel(double value, int most) => double.IsNaN(value) ? 0 : (int)Math.Clamp(value, 0, most);
}
