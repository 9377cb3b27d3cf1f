namespace Spotter.Vision.Images;

/// <summary>Rows of 8-bit pixels that are read from top to bottom, with a window that stays readable.</summary>
internal unsafe interface IPixelRows
{
    int Width { get; }

    int Height { get; }

    /// <summary>1 for grey, 3 for RGB.</summary>
    int Bands { get; }

    /// <summary>
    /// A row, readable for <see cref="NativeBuffer.Slack"/> bytes past its end. Rows up to the window's height before
    /// the furthest row asked for stay where they are.
    /// </summary>
    byte* Row(int row);
}

/// <summary>Decodes a picture's rows as they are asked for and keeps the last few, so that no whole picture is held.</summary>
internal sealed unsafe class RowWindow : IPixelRows, IDisposable
{
    private const int StripRows = 16;

    private readonly PictureRows rows;
    private readonly byte* ring;
    private readonly int ringRows;
    private readonly int rowBytes;
    private readonly long stride;
    private int read;

    /// <param name="picture">What to decode.</param>
    /// <param name="window">Rows that have to stay readable.</param>
    /// <param name="buffer">Memory to keep them in.</param>
    public RowWindow(Picture picture, int window, NativeBuffer buffer)
    {
        (Width, Height, Bands) = (picture.StoredWidth, picture.StoredHeight, picture.Bands);
        rowBytes = Width * Bands;
        stride = rowBytes + NativeBuffer.Slack;
        ringRows = window + StripRows;
        ring = buffer.Ensure(stride * ringRows);
        rows = picture.Rows();
    }

    public int Width { get; }

    public int Height { get; }

    public int Bands { get; }

    public byte* Row(int row)
    {
        while (row >= read)
        {
            var count = Math.Min(StripRows, Height - read);
            using var strip = rows.Read(read, count);
            for (var i = 0; i < count; i++)
                strip.Row(i).CopyTo(new Span<byte>(At(read + i), rowBytes));
            read += count;
        }
        return At(row);
    }

    public void Dispose() => rows.Dispose();

    private byte* At(int row) => ring + (row % ringRows * stride);
}
