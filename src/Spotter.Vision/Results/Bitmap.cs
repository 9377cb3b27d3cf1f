using Spotter.Core.Vision;

namespace Spotter.Vision.Results;

/// <summary>Which pixels of a part of the picture belong to an object, one byte for each.</summary>
internal readonly ref struct Bitmap(Span<byte> pixels, int left, int top, int width, int height)
{
    /// <summary>The value of a pixel that belongs to the object; the other bits are for whoever works on the bitmap.</summary>
    public const byte Inside = 1;

    private readonly Span<byte> pixels = pixels;

    public int Left { get; } = left;

    public int Top { get; } = top;

    public int Width { get; } = width;

    public int Height { get; } = height;

    public Span<byte> Row(int y) => pixels.Slice(y * Width, Width);

    public ref byte this[int x, int y] => ref pixels[(y * Width) + x];

    /// <summary>True within the object; what lies outside the bitmap is not.</summary>
    public bool Has(int x, int y) => (uint)x < (uint)Width && (uint)y < (uint)Height && (pixels[(y * Width) + x] & Inside) != 0;

    /// <summary>Its run lengths within a picture of the given size.</summary>
    public RunLengths Runs(int pictureWidth, int pictureHeight)
    {
        var counts = new List<int>();
        var inside = false;
        var run = Left * pictureHeight;
        for (var x = 0; x < Width; x++)
        {
            Go(false, Top);
            for (var y = 0; y < Height; y++)
                Go((this[x, y] & Inside) != 0, 1);
            Go(false, pictureHeight - Top - Height);
        }
        Go(false, (pictureWidth - Left - Width) * pictureHeight);
        counts.Add(run);
        return new RunLengths([pictureHeight, pictureWidth], counts);

        void Go(bool state, int count)
        {
            if (count == 0)
                return;
            if (state != inside)
            {
                counts.Add(run);
                (run, inside) = (0, state);
            }
            run += count;
        }
    }
}
