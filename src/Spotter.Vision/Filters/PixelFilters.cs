using Spotter.Core;
using Spotter.Vision.Images;

namespace Spotter.Vision.Filters;

/// <summary>The filters that make one picture of one. Each gives a new raster.</summary>
internal static unsafe class PixelFilters
{
    // Edge of a square of pixels, two of which fit into a core's first cache.
    private const int Square = 64;

    /// <summary>The mean of a square of <paramref name="level"/> pixels, rounded down, wherever the square fits.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: the square is larger than the picture.</exception>
    public static Raster Blur(Raster source, int level)
    {
        if (level < 1)
            throw new SpotterException(ErrorCodes.InvalidRequest, FilterValues.BadLevel);
        if (level > source.Width || level > source.Height)
        {
            throw new SpotterException(
                ErrorCodes.InvalidRequest,
                $"The picture is {source.Width} x {source.Height} pixels, smaller than the square of {level} x {level} that each pixel of a blur is the mean of; send a larger picture, or a smaller level.");
        }
        var result = new Raster(source.Width - level + 1, source.Height - level + 1, source.Bands);
        // Sums over the last rows, and of these over the last columns: each pixel costs the same at any level.
        using var room = new NativeBuffer();
        var sums = new Span<uint>(room.Ensure((long)source.Stride * sizeof(uint)), source.Stride);
        sums.Clear();
        // A product instead of a division. The half keeps whole results whole: sums are below 2^36, far from where doubles end.
        var share = 1.0 / ((double)level * level);
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
                long sum = 0;
                for (var x = 0; x < source.Width; x++)
                {
                    sum += sums[(x * source.Bands) + band];
                    if (x < level - 1)
                        continue;
                    to[((x - level + 1) * source.Bands) + band] = (byte)((sum + 0.5) * share);
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
        // In squares that fit into the fastest memory, however the columns of one are rows of the other.
        for (var top = 0; top < height; top += Square)
        {
            for (var left = 0; left < width; left += Square)
                Turn(source, result, quarters, left, top);
        }
        return result;
    }

    /// <summary>Draws a share of the pixels, some of them twice, and makes each white or black.</summary>
    /// <param name="source">The picture.</param>
    /// <param name="amount">How many are drawn, as a share of all.</param>
    /// <param name="seed">The same gives the same draw.</param>
    public static Raster Salt(Raster source, double amount, ulong seed)
    {
        var result = Copy(source);
        var pixels = (ulong)source.Width * (ulong)source.Height;
        var draws = (long)(pixels * amount);
        for (var (i, state) = (0L, seed); i < draws; i++)
        {
            // SplitMix64: one number says where, and by its lowest bit what.
            state += 0x9E3779B97F4A7C15;
            var number = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
            number ^= number >> 31;
            var at = result.Pixels + (Math.BigMul(number, pixels, out _) * (ulong)source.Bands);
            var value = (byte)(0 - (number & 1));
            for (var band = 0; band < source.Bands; band++)
                at[band] = value;
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
        Span<byte> spread = stackalloc byte[256];
        for (int value = least; value <= most; value++)
            spread[value] = (byte)Math.Round((value - least) * 255.0 / (most - least));
        for (var y = 0; y < raster.Height; y++)
        {
            foreach (ref var value in raster.Row(y))
                value = spread[value];
        }
    }

    private static void Turn(Raster source, Raster result, int quarters, int left, int top)
    {
        var (right, bottom, bands) = (Math.Min(left + Square, result.Width), Math.Min(top + Square, result.Height), source.Bands);
        long stride = source.Stride;
        // Where the pixel at the left of a row comes from, and how far from it its right neighbour does.
        var step = quarters switch { 1 => -stride, 2 => -bands, 3 => stride, _ => bands };
        for (var y = top; y < bottom; y++)
        {
            var (fromX, fromY) = quarters switch
            {
                1 => (y, source.Height - 1 - left),
                2 => (source.Width - 1 - left, source.Height - 1 - y),
                3 => (source.Width - 1 - y, left),
                _ => (left, y),
            };
            var from = source.Pixels + (fromY * stride) + ((long)fromX * bands);
            var to = result.Pixels + ((long)y * result.Stride) + ((long)left * bands);
            for (var x = left; x < right; x++, from += step, to += bands)
            {
                for (var band = 0; band < bands; band++)
                    to[band] = from[band];
            }
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
