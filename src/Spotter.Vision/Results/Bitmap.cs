using System.Buffers;

namespace Spotter.Vision.Results;

/// <summary>Which pixels of a part of the picture belong to an object, one byte for each.</summary>
internal readonly ref struct Bitmap(Span<byte> pixels, int left, int top, int width, int height)
{
    /// <summary>The value of a pixel that belongs to the object; the other bits are for whoever works on the bitmap.</summary>
    public const byte Inside = 1;

    private const int Strip = 32;

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
        // Some columns at a time are laid on their side, since going down a large bitmap pixel by pixel is slow.
        var columns = ArrayPool<byte>.Shared.Rent(Strip * Height);
        for (var first = 0; first < Width; first += Strip)
        {
            var wide = Math.Min(Strip, Width - first);
            for (var y = 0; y < Height; y++)
            {
                var row = pixels.Slice((y * Width) + first, wide);
                for (var x = 0; x < row.Length; x++)
                    columns[(x * Height) + y] = (byte)(row[x] & Inside);
            }
            for (var x = 0; x < wide; x++)
            {
                Go(false, Top);
                var rest = columns.AsSpan(x * Height, Height);
                while (rest.Length > 0)
                {
                    var length = rest.IndexOfAnyExcept(rest[0]);
                    length = length < 0 ? rest.Length : length;
                    Go(rest[0] == Inside, length);
                    rest = rest[length..];
                }
                Go(false, pictureHeight - Top - Height);
            }
        }
        ArrayPool<byte>.Shared.Return(columns);
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
