using System.Runtime.InteropServices;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>Owns one object of the library and releases it with the function that belongs to it.</summary>
internal sealed class OrtHandle : SafeHandle
{
    private readonly OrtApi.Slot release;

    public OrtHandle(OrtApi.Slot release, nint instance)
        : base(0, ownsHandle: true)
    {
        this.release = release;
        SetHandle(instance);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>For a call during which this handle is alive.</summary>
    public nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.Release(release, handle);
        return true;
    }
}
