using System.Runtime.InteropServices;

namespace Spotter.Backends.Local;

/// <summary>Makes names of files durable. .NET can flush a file, but not the folder that says where the file is.</summary>
internal static partial class DurableFiles
{
    private const int ReadOnly = 0;

    // The numbers of errors that .NET hands on unchanged in HResult.
    private const int NoSpace = 28;
    private const int LinuxQuota = 122;
    private const int MacQuota = 69;

    /// <summary>O_CLOEXEC, which differs between Linux and macOS: no child process inherits the folder.</summary>
    private static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    /// <summary>Makes a folder and those above it that are missing, so that they survive a power cut.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null)
            CreateFolder(parent);
        // People's pictures lie below: nobody else on the machine may read them.
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (parent is not null)
            SyncFolder(parent);
    }

    /// <summary>Returns once the names in a folder would survive a power cut. Windows keeps them by itself.</summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var folder = Open(path, ReadOnly | CloseOnExec);
        if (folder < 0)
            throw Failure("open", path);
        try
        {
            if (FSync(folder) != 0)
                throw Failure("flush", path);
        }
        finally
        {
            _ = Close(folder);
        }
    }

    /// <summary>Makes a hard link to a file; false when there is no such file, or its file system has no hard links. Not made durable.</summary>
    public static bool TryLink(string path, string second) => !OperatingSystem.IsWindows() && Link(path, second) == 0;

    /// <summary>True for an error that means that there is no room: the disk is full, or a quota used up.</summary>
    public static bool IsDiskFull(Exception error)
    {
        if (OperatingSystem.IsWindows())
            return error.HResult is unchecked((int)0x80070070) or unchecked((int)0x80070027);
        return error is IOException && error.HResult is NoSpace or LinuxQuota or MacQuota;
    }

    /// <summary>
    /// True for the error of opening a file that someone holds: EWOULDBLOCK on Linux and macOS, a sharing violation on Windows.
    /// </summary>
    public static bool IsHeld(IOException error) => error.HResult is 11 or 35 or unchecked((int)0x80070020);

    private static IOException Failure(string what, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"Could not {what} the folder {path}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int file);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string path, string second);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
