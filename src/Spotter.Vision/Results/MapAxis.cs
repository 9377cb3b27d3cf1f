namespace Spotter.Vision.Results;

/// <summary>From pixels of the picture to cells of a map of the input, along one edge.</summary>
internal readonly struct MapAxis
{
    private readonly double start;
    private readonly double step;
    private readonly int cells;

    /// <param name="from">The first pixel.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="part">Where the part of the picture begins that lies in the input.</param>
    /// <param name="scale">Pixels of the input for each of the picture.</param>
    /// <param name="offset">Where the picture begins in the input.</param>
    /// <param name="share">Cells for each pixel of the input.</param>
    /// <param name="cells">Cells of the whole map.</param>
    public MapAxis(int from, int count, int part, double scale, int offset, double share, int cells)
    {
        this.cells = cells;
        // Middles of pixels and of cells meet.
        start = ((((from + 0.5 - part) * scale) + offset) * share) - 0.5;
        step = scale * share;
        First = At(0).Cell;
        Last = Math.Min(cells - 1, At(Math.Max(0, count - 1)).Cell + 1);
    }

    /// <summary>The first cell that counts.</summary>
    public int First { get; }

    /// <summary>The last cell that counts.</summary>
    public int Last { get; }

    /// <summary>The cell before a pixel's middle, and how far on to the next it is.</summary>
    public (int Cell, float Share) At(int pixel)
    {
        var at = Math.Clamp(start + (pixel * step), 0, cells - 1);
        var cell = (int)at;
        return (cell, (float)(at - cell));
    }
}
