namespace Spotter.Vision.Images;

/// <summary>A number from 0 to 65535 for each pixel of a picture. Belongs to one thread.</summary>
internal sealed unsafe class GreyMap : IDisposable
{
    private readonly NativeBuffer buffer = new();

    /// <summary>A map of undefined content.</summary>
    public GreyMap(int width, int height)
    {
        (Width, Height) = (width, height);
        Samples = (ushort*)buffer.Ensure((long)width * height * sizeof(ushort));
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>All numbers, row by row.</summary>
    public ushort* Samples { get; }

    public Span<ushort> Row(int row) => new(Samples + ((long)row * Width), Width);

    public void Dispose() => buffer.Dispose();
}
