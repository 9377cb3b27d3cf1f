using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Spotter.Core.Files;

/// <summary>
/// A file that is read once from its beginning to its end. When it is closed, the system is told to forget its copy of the bytes, so that
/// the memory serves the next one. Only Linux is told; elsewhere nothing is lost but memory.
/// </summary>
/// <param name="path">The file; others may delete it meanwhile.</param>
public sealed partial class ReadOnceFile(string path)
    : FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan)
{
    /// <summary>POSIX_FADV_DONTNEED.</summary>
    private const int DontNeed = 4;

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Forget();
        return base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Forget();
        base.Dispose(disposing);
    }

    private void Forget()
    {
        if (OperatingSystem.IsLinux() && !SafeFileHandle.IsClosed)
            _ = Advise(SafeFileHandle, 0, 0, DontNeed);
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
