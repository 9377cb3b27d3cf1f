using System.Buffers;
using System.Runtime.InteropServices;
using NetVips;

namespace Spotter.Vision.LibVips;

/// <summary>The bytes that an encoder writes, in memory of our own that grows; a managed array of that size would stay for long.</summary>
internal sealed unsafe class EncodedBytes : MemoryManager<byte>
{
    private const int FirstCapacity = 64 << 10;

    private byte* data = (byte*)NativeMemory.Alloc(FirstCapacity);
    private int capacity = FirstCapacity;
    private int length;

    /// <summary>Lets an encoder write.</summary>
    /// <exception cref="VipsException">It failed.</exception>
    public static EncodedBytes Of(Action<Target> save)
    {
        var bytes = new EncodedBytes();
        try
        {
            using var target = new TargetCustom();
            target.OnWrite += bytes.Append;
            save(target);
            return bytes;
        }
        catch
        {
            ((IDisposable)bytes).Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override Memory<byte> Memory => CreateMemory(length);

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(data == null, this);
        return new(data, length);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(data == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, length);
        return new MemoryHandle(data + elementIndex);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // It never moves.
    }

    // Nobody may forget one: the memory would be lost. A finalizer is not worth it for what lives as long as a job.
    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(data);
        data = null;
    }

    /// <returns>Bytes taken; -1 when there is no memory for them, as nothing may be thrown into native code.</returns>
    private long Append(byte[] written, int count)
    {
        try
        {
            if (count > capacity - length)
            {
                capacity = checked((int)Math.Min(Math.Max(2L * capacity, (long)length + count), Array.MaxLength));
                data = (byte*)NativeMemory.Realloc(data, (nuint)capacity);
            }
            written.AsSpan(0, count).CopyTo(new Span<byte>(data + length, capacity - length));
            length += count;
            return count;
        }
        catch (Exception full) when (full is OutOfMemoryException or ArgumentException)
        {
            return -1;
        }
    }
}
