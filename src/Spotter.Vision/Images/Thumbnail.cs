using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Vision.Images;

/// <summary>A picture as few grey cells, to compare it with others of the same camera.</summary>
public static class Thumbnail
{
    /// <summary>Cells along each edge, whatever the picture's shape.</summary>
    public const int Edge = 64;

    // Decoded at once; a strip of them is held.
    private const int StripRows = 16;

    /// <summary>
    /// The mean brightness of each cell, row by row, as it is stored: a camera turns all its pictures alike, so EXIF's orientation
    /// makes no difference here.
    /// </summary>
    /// <param name="encoded">The picture's bytes.</param>
    /// <param name="limits">How large it may be.</param>
    /// <exception cref="SpotterException">It is no picture, or a damaged one; see <see cref="Picture.Open"/>.</exception>
    public static byte[] Of(ReadOnlyMemory<byte> encoded, ImageLimits limits)
    {
        using var picture = Picture.Open(encoded, limits);
        picture.ShrinkTo(Edge, Edge);
        var (width, height, bands) = (picture.StoredWidth, picture.StoredHeight, picture.Bands);
        var (sums, counts) = (new long[Edge * Edge], new int[Edge * Edge]);
        using var rows = picture.Rows();
        for (var top = 0; top < height; top += StripRows)
        {
            var count = Math.Min(StripRows, height - top);
            using var strip = rows.Read(top, count);
            for (var i = 0; i < count; i++)
                Add(strip.Row(i), width, bands, (int)((long)(top + i) * Edge / height) * Edge, sums, counts);
        }
        var cells = new byte[Edge * Edge];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = counts[i] == 0 ? (byte)0 : (byte)(sums[i] / counts[i]);
        return cells;
    }

    private static void Add(ReadOnlySpan<byte> row, int width, int bands, int first, long[] sums, int[] counts)
    {
        for (var x = 0; x < width; x++)
        {
            var pixel = row.Slice(x * bands, bands);
            var cell = first + (int)((long)x * Edge / width);
            // ITU-R BT.601, in whole numbers.
            sums[cell] += bands >= 3 ? ((299 * pixel[0]) + (587 * pixel[1]) + (114 * pixel[2])) / 1000 : pixel[0];
            counts[cell]++;
        }
    }
}
