using System.Collections.Concurrent;

namespace Spotter.Vision.Images;

/// <summary>A whole picture, upright, 8-bit RGB, in memory that can be drawn on. Belongs to one thread.</summary>
internal sealed unsafe class Canvas : IPixelRows, IDisposable
{
    private const int StripRows = 32;

    private static readonly ConcurrentBag<NativeBuffer> Buffers = [];

    private readonly NativeBuffer buffer;

    /// <summary>A picture of undefined content.</summary>
    public Canvas(int width, int height)
    {
        (Width, Height) = (width, height);
        buffer = Buffers.TryTake(out var kept) ? kept : new NativeBuffer();
        Pixels = buffer.Ensure((long)width * height * 3);
    }

    public int Width { get; }

    public int Height { get; }

    public int Bands => 3;

    /// <summary>Width of a row in bytes.</summary>
    public int Stride => Width * 3;

    public byte* Pixels { get; }

    /// <summary>Decodes a picture at full size.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.ImageTruncated"/>, <see cref="Core.ErrorCodes.ImageInvalid"/>, <see cref="Core.ErrorCodes.ImageTooComplex"/>.</exception>
    public static Canvas Decode(Picture picture)
    {
        var canvas = new Canvas(picture.Width, picture.Height);
        try
        {
            using var rows = picture.Rows();
            for (var top = 0; top < picture.StoredHeight; top += StripRows)
            {
                var count = Math.Min(StripRows, picture.StoredHeight - top);
                using var strip = rows.Read(top, count);
                canvas.Put(strip, top, count, picture);
            }
            return canvas;
        }
        catch
        {
            canvas.Dispose();
            throw;
        }
    }

    public byte* Row(int row) => Pixels + ((long)row * Stride);

    public void Dispose()
    {
        buffer.Trim();
        Buffers.Add(buffer);
    }

    private void Put(LibVips.VipsStrip strip, int top, int count, Picture picture)
    {
        var turn = picture.Orientation;
        var bands = picture.Bands;
        var width = picture.StoredWidth;
        if (turn.Exif == 1 && bands == 3)
        {
            for (var y = 0; y < count; y++)
                strip.Row(y).CopyTo(new Span<byte>(Row(top + y), Stride));
            return;
        }

        int green = bands < 3 ? 0 : 1, blue = bands < 3 ? 0 : 2;
        var (origin, stepX, stepY) = turn.Place(width, picture.StoredHeight, Stride, 3);
        fixed (byte* first = strip.Row(0))
        {
            // The inner loop goes along the upright row, so that writes stay together.
            var (outer, inner) = turn.SwapsAxes ? (width, count) : (count, width);
            for (var i = 0; i < outer; i++)
            {
                for (var j = 0; j < inner; j++)
                {
                    var (x, y) = turn.SwapsAxes ? (i, j) : (j, i);
                    var from = first + ((((long)y * width) + x) * bands);
                    var to = Pixels + origin + ((long)x * stepX) + ((long)(top + y) * stepY);
                    to[0] = from[0];
                    to[1] = from[green];
                    to[2] = from[blue];
                }
            }
        }
    }
}
