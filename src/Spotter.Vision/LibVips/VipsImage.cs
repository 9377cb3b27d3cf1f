using System.Runtime.InteropServices;

namespace Spotter.Vision.LibVips;

/// <summary>One reference to an image of libvips: a recipe for pixels that are computed when they are read.</summary>
internal sealed unsafe class VipsImage : SafeHandle
{
    public const int FormatUChar = 0;
    public const int InterpretationCmyk = 15;

    internal VipsImage(nint image)
        : base(0, ownsHandle: true) => SetHandle(image);

    public override bool IsInvalid => handle == 0;

    public nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    public int Width => VipsApi.Width(Pointer);

    public int Height => VipsApi.Height(Pointer);

    public int Bands => VipsApi.Bands(Pointer);

    public int Format => VipsApi.Format(Pointer);

    public int Interpretation => VipsApi.Interpretation(Pointer);

    /// <summary>EXIF orientation, 1 to 8.</summary>
    public int Orientation => VipsApi.Orientation(Pointer) is >= 1 and <= 8 and var o ? o : 1;

    public int XOffset => VipsApi.XOffset(Pointer);

    public int YOffset => VipsApi.YOffset(Pointer);

    /// <summary>An image over 8-bit pixels that the caller keeps alive, unmoved and unchanged until it is disposed.</summary>
    public static VipsImage Over(byte* pixels, int width, int height, int bands)
    {
        Vips.Start();
        var image = VipsApi.NewImageOverMemory(pixels, (nuint)((long)width * height * bands), width, height, bands, FormatUChar);
        return image != 0 ? new VipsImage(image) : throw VipsException.Take("image_new_from_memory");
    }

    protected override bool ReleaseHandle()
    {
        VipsApi.Unref(handle);
        return true;
    }
}

/// <summary>Reads rows of an image, from top to bottom, on the calling thread.</summary>
internal sealed unsafe class VipsRows : SafeHandle
{
    private readonly VipsImage image;
    private readonly int width;
    private readonly int bands;

    public VipsRows(VipsImage image)
        : base(0, ownsHandle: true)
    {
        this.image = image;
        width = image.Width;
        bands = image.Bands;
        var region = VipsApi.NewRegion(image.Pointer);
        if (region == 0)
            throw VipsException.Take("region_new");
        SetHandle(region);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Reads <paramref name="count"/> rows from <paramref name="top"/> on; dispose of them soon.</summary>
    /// <exception cref="VipsException">The picture is damaged there.</exception>
    public VipsStrip Read(int top, int count)
    {
        nuint length;
        var pixels = VipsApi.Fetch(handle, 0, top, width, count, &length);
        GC.KeepAlive(image);
        return pixels != null ? new VipsStrip(pixels, width * bands) : throw VipsException.Take("region_fetch");
    }

    protected override bool ReleaseHandle()
    {
        VipsApi.Unref(handle);
        return true;
    }
}

/// <summary>Some rows of pixels in memory of libvips, given back on disposal.</summary>
internal readonly unsafe ref struct VipsStrip(byte* pixels, int rowBytes)
{
    public ReadOnlySpan<byte> Row(int row) => new(pixels + ((long)row * rowBytes), rowBytes);

    public void Dispose() => VipsApi.Free((nint)pixels);
}
