using Spotter.Core.Images;
using Spotter.Vision.Images;

namespace Spotter.Vision.Filters;

/// <summary>8-bit pixels that a filter works on: one band for grey, three for RGB. Belongs to one thread.</summary>
internal sealed unsafe class Raster : IDisposable
{
    private readonly IDisposable memory;

    public Raster(int width, int height, int bands)
    {
        (Width, Height, Bands) = (width, height, bands);
        var buffer = new NativeBuffer();
        Pixels = buffer.Ensure((long)width * height * bands);
        memory = buffer;
    }

    private Raster(Canvas canvas)
    {
        (Width, Height, Bands) = (canvas.Width, canvas.Height, canvas.Bands);
        Pixels = canvas.Pixels;
        memory = canvas;
    }

    public int Width { get; }

    public int Height { get; }

    public int Bands { get; }

    /// <summary>Bytes of a row.</summary>
    public int Stride => Width * Bands;

    public byte* Pixels { get; }

    public Span<byte> Row(int y) => new(Pixels + ((long)y * Stride), Stride);

    /// <summary>Decodes a picture, to grey if asked for.</summary>
    public static Raster Decode(Picture picture, bool grey)
    {
        var canvas = Canvas.Decode(picture);
        if (!grey)
            return new Raster(canvas);
        using (canvas)
            return Grey(canvas);
    }

    /// <summary>Decodes a picture, to grey if asked for.</summary>
    public static Raster Decode(ReadOnlyMemory<byte> encoded, bool grey, ImageLimits limits)
    {
        using var picture = Picture.Open(encoded, limits);
        return Decode(picture, grey);
    }

    public void Dispose() => memory.Dispose();

    private static Raster Grey(Canvas canvas)
    {
        var raster = new Raster(canvas.Width, canvas.Height, 1);
        for (var y = 0; y < canvas.Height; y++)
        {
            var from = new ReadOnlySpan<byte>(canvas.Row(y), canvas.Stride);
            var to = raster.Row(y);
            // The weights add up to 0.9999, as those that this is to agree with; rounded to the nearest.
            for (int x = 0, at = 0; x < to.Length; x++, at += 3)
                to[x] = (byte)(((from[at] * 2989) + (from[at + 1] * 5870) + (from[at + 2] * 1140) + 5000) / 10_000);
        }
        return raster;
    }
}
