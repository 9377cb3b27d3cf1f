using System.Runtime.InteropServices;
using Spotter.Core;

namespace Spotter.Vision.Images;

/// <summary>
/// Memory that grows to what is asked of it and is kept for the next picture. It can be read a little past its end, so
/// that loops over pixels need no tail. Aligned to a cache line, which suits the widest vector too.
/// </summary>
internal sealed unsafe class NativeBuffer() : SafeHandle(0, ownsHandle: true)
{
    /// <summary>Bytes past the end that may be read (what they hold means nothing).</summary>
    public const int Slack = 64;

    // More than this is given back after the picture that needed it.
    private const long KeptBytes = 32 << 20;

    private long capacity;

    public override bool IsInvalid => handle == 0;

    /// <summary>At least this many bytes; what was there before is lost when it has to grow.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ImageTooComplex"/>: there is not that much.</exception>
    public byte* Ensure(long bytes)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (bytes > capacity)
        {
            ReleaseHandle();
            try
            {
                handle = (nint)NativeMemory.AlignedAlloc((nuint)(bytes + Slack), Slack);
            }
            catch (OutOfMemoryException e)
            {
                throw new SpotterException(
                    ErrorCodes.ImageTooComplex, $"There is not enough memory for {bytes >> 20} MiB of pixels; send a smaller picture.", e);
            }
            capacity = bytes;
        }
        return (byte*)handle;
    }

    /// <summary>Gives back what is too much to keep.</summary>
    public void Trim()
    {
        if (capacity > KeptBytes)
            ReleaseHandle();
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        handle = 0;
        capacity = 0;
        return true;
    }
}
