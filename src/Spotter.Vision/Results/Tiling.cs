using Spotter.Core;

namespace Spotter.Vision.Results;

/// <summary>Which parts of a picture are looked at.</summary>
internal static class Tiling
{
    /// <summary>More tiles than this take longer than a job may.</summary>
    public const int MaxTiles = 1024;

    /// <summary>The part that was asked for, as far as it lies in the picture; all of it when none was.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it lies outside.</exception>
    public static Region Region(Region? wanted, int width, int height)
    {
        if (wanted is null)
            return new Region(0, 0, width, height);
        if (wanted.X < 0 || wanted.Y < 0 || wanted.Width < 1 || wanted.Height < 1 || wanted.X >= width || wanted.Y >= height)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest,
                $"The region {wanted.X},{wanted.Y},{wanted.Width},{wanted.Height} lies outside the picture of {width} x {height} pixels; give one that lies in it.");
        }
        return wanted with { Width = Math.Min(wanted.Width, width - wanted.X), Height = Math.Min(wanted.Height, height - wanted.Y) };
    }

    /// <summary>
    /// Squares that cover a part of a picture, all of one size, each overlapping the next by at least the given share;
    /// the last ones of a row and of a column end where the part ends.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: there would be too many.</exception>
    public static IReadOnlyList<Region> Tiles(Region part, int edge, double overlap)
    {
        var columns = Starts(part.Width, edge, overlap);
        var rows = Starts(part.Height, edge, overlap);
        if ((long)columns.Count * rows.Count > MaxTiles)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest,
                $"Tiles of {edge} pixels would be {(long)columns.Count * rows.Count} for this picture; at most {MaxTiles} are looked at, so choose larger ones or a region.");
        }
        return [.. rows.SelectMany(y => columns.Select(x =>
            new Region(part.X + x, part.Y + y, Math.Min(edge, part.Width), Math.Min(edge, part.Height))))];
    }

    private static List<int> Starts(int length, int edge, double overlap)
    {
        if (length <= edge)
            return [0];
        var step = Math.Max(1, (int)(edge * (1 - overlap)));
        var count = ((length - edge + step - 1) / step) + 1;
        // Spread evenly, so that the last tile covers no more again than the others.
        return [.. Enumerable.Range(0, count).Select(i => (int)((long)(length - edge) * i / (count - 1)))];
    }
}
