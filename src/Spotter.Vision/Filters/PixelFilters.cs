using Spotter.Core;
using Spotter.Vision.Images;

namespace Spotter.Vision.Filters;

/// <summary>The filters that make one picture of one. Each gives a new raster.</summary>
internal static unsafe class PixelFilters
{
    /// <summary>The mean of a square of <paramref name="level"/> pixels, rounded down, wherever the square fits.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: the square is larger than the picture.</exception>
    public static Raster Blur(Raster source, int level)
    {
        if (level < 1 || level > source.Width || level > source.Height)
            throw new SpotterException(ErrorCodes.InvalidRequest, FilterValues.BadLevel);
        var result = new Raster(source.Width - level + 1, source.Height - level + 1, source.Bands);
        // Sums over the last rows, and of these over the last columns: each pixel costs the same at any level.
        using var room = new NativeBuffer();
        var sums = new Span<uint>(room.Ensure((long)source.Stride * sizeof(uint)), source.Stride);
        sums.Clear();
        var square = (ulong)level * (ulong)level;
        for (var y = 0; y < source.Height; y++)
        {
            var entering = source.Row(y);
            for (var i = 0; i < sums.Length; i++)
                sums[i] += entering[i];
            if (y < level - 1)
                continue;
            var to = result.Row(y - level + 1);
            for (var band = 0; band < source.Bands; band++)
            {
                ulong sum = 0;
                for (var x = 0; x < source.Width; x++)
                {
                    sum += sums[(x * source.Bands) + band];
                    if (x < level - 1)
                        continue;
                    to[((x - level + 1) * source.Bands) + band] = (byte)(sum / square);
                    sum -= sums[((x - level + 1) * source.Bands) + band];
                }
            }
            var leaving = source.Row(y - level + 1);
            for (var i = 0; i < sums.Length; i++)
                sums[i] -= leaving[i];
        }
        return result;
    }

    /// <summary>How far each pixel is from its left neighbour.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: there are no neighbours.</exception>
    public static Raster Contour(Raster source)
    {
        if (source.Width < 2)
            throw new SpotterException(ErrorCodes.InvalidRequest, "A contour needs a picture that is at least 2 pixels wide.");
        var result = new Raster(source.Width - 1, source.Height, source.Bands);
        for (var y = 0; y < source.Height; y++)
        {
            var from = source.Row(y);
            var to = result.Row(y);
            for (var i = 0; i < to.Length; i++)
                to[i] = (byte)Math.Abs(from[i] - from[i + source.Bands]);
        }
        return result;
    }

    /// <summary>Turned clockwise, or against the clock.</summary>
    public static Raster Rotate(Raster source, int degrees, bool antiClockwise)
    {
        var quarters = degrees / 90 * (antiClockwise ? 3 : 1) % 4;
        var (width, height) = quarters % 2 == 0 ? (source.Width, source.Height) : (source.Height, source.Width);
        var result = new Raster(width, height, source.Bands);
        for (var y = 0; y < height; y++)
        {
            var to = result.Row(y);
            for (var x = 0; x < width; x++)
            {
                var (fromX, fromY) = quarters switch
                {
                    1 => (y, source.Height - 1 - x),
                    2 => (source.Width - 1 - x, source.Height - 1 - y),
                    3 => (source.Width - 1 - y, x),
                    _ => (x, y),
                };
                source.Row(fromY).Slice(fromX * source.Bands, source.Bands).CopyTo(to[(x * source.Bands)..]);
            }
        }
        return result;
    }

    /// <summary>Draws a share of the pixels, some of them twice, and makes each white or black.</summary>
    public static Raster Salt(Raster source, double amount, RandomSource random)
    {
        var result = Copy(source);
        var draws = (long)((double)source.Width * source.Height * amount);
        for (long i = 0; i < draws; i++)
        {
            var x = Math.Min(source.Width - 1, (int)(random.NextDouble() * source.Width));
            var y = Math.Min(source.Height - 1, (int)(random.NextDouble() * source.Height));
            result.Row(y).Slice(x * source.Bands, source.Bands).Fill(random.NextDouble() < 0.5 ? byte.MaxValue : (byte)0);
        }
        return result;
    }

    /// <summary>White above the threshold, black from it down.</summary>
    public static Raster Segment(Raster source, int threshold)
    {
        var result = new Raster(source.Width, source.Height, source.Bands);
        for (var y = 0; y < source.Height; y++)
        {
            var from = source.Row(y);
            var to = result.Row(y);
            for (var i = 0; i < to.Length; i++)
                to[i] = from[i] > threshold ? byte.MaxValue : (byte)0;
        }
        return result;
    }

    /// <summary>Spreads what is between the darkest and the brightest pixel over 0 to 255, in place.</summary>
    public static void Stretch(Raster raster)
    {
        byte least = byte.MaxValue, most = 0;
        for (var y = 0; y < raster.Height; y++)
        {
            foreach (var value in raster.Row(y))
                (least, most) = (Math.Min(least, value), Math.Max(most, value));
        }
        if (most <= least)
            return;
        for (var y = 0; y < raster.Height; y++)
        {
            foreach (ref var value in raster.Row(y))
                value = (byte)Math.Round((value - least) * 255.0 / (most - least));
        }
    }

    private static Raster Copy(Raster source)
    {
        var copy = new Raster(source.Width, source.Height, source.Bands);
        for (var y = 0; y < source.Height; y++)
            source.Row(y).CopyTo(copy.Row(y));
        return copy;
    }
}
