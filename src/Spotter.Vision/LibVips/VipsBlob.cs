using System.Buffers;

namespace Spotter.Vision.LibVips;

/// <summary>One reference to bytes that an operation made, given back on disposal.</summary>
internal sealed unsafe class VipsBlob : MemoryManager<byte>
{
    private readonly byte* data;
    private readonly int length;
    private nint area;

    /// <param name="area">A reference that this object takes over.</param>
    internal VipsBlob(nint area)
    {
        this.area = area;
        nuint bytes;
        data = (byte*)VipsApi.GetBlob(area, &bytes);
        length = checked((int)bytes);
    }

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(area == 0, this);
        return new(data, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(area == 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, length);
        return new MemoryHandle(data + elementIndex);
    }

    public override void Unpin()
    {
        // It never moves.
    }

    // Nobody may forget one: the reference would be lost. A finalizer is not worth it for what lives as long as a job.
    protected override void Dispose(bool disposing)
    {
        if (area != 0)
            VipsApi.UnrefArea(area);
        area = 0;
    }
}
