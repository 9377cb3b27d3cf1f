using NetVips;

namespace Spotter.Vision.LibVips;

/// <summary>Reads rows of an image, from top to bottom, on the calling thread.</summary>
internal sealed unsafe class VipsRows : IDisposable
{
    private readonly NetVips.Region region;
    private readonly int width;
    private readonly int bands;

    /// <param name="image">An image of 8 bits; it may be disposed of before this.</param>
    public VipsRows(Image image)
    {
        (width, bands) = (image.Width, image.Bands);
        region = NetVips.Region.New(image);
    }

    /// <summary>Reads <paramref name="count"/> rows from <paramref name="top"/> on; dispose of them soon.</summary>
    /// <exception cref="VipsException">The picture is damaged there.</exception>
    public VipsStrip Read(int top, int count)
    {
        nuint length;
        var pixels = VipsApi.Fetch(region, 0, top, width, count, &length);
        return pixels != null ? new VipsStrip(pixels, width * bands) : throw new VipsException("region_fetch");
    }

    public void Dispose() => region.Dispose();
}

/// <summary>Some rows of pixels in memory of libvips, given back on disposal.</summary>
internal readonly unsafe ref struct VipsStrip(byte* pixels, int rowBytes)
{
    public ReadOnlySpan<byte> Row(int row) => new(pixels + ((long)row * rowBytes), rowBytes);

    /// <summary>The first so many rows, one after the other, to be changed in place.</summary>
    public Span<byte> Rows(int count) => new(pixels, rowBytes * count);

    public void Dispose() => VipsApi.Free((nint)pixels);
}
