using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Spotter.Core.Files;

/// <summary>
/// Opens files that somebody else names or leaves: a device or a pipe in the place of one has no end, or keeps whoever
/// opens it waiting for ever. Links are followed; what they lead to has to be a file on a disk.
/// </summary>
public static partial class RegularFile
{
    private const int ReadOnly = 0; // O_RDONLY
    private const int NoFile = 2; // ENOENT
    private const int NotAllowed = 1; // EPERM
    private const int NoAccess = 13; // EACCES
    private const int TypeBits = 0xF000; // S_IFMT
    private const int Regular = 0x8000; // S_IFREG
    private const int FolderType = 0x4000; // S_IFDIR
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint WantedType = 1; // STATX_TYPE
    private const int StatBytes = 256;
    private const int LinuxMode = 28; // stx_mode in struct statx
    private const int MacMode = 4; // st_mode in struct stat

    /// <summary>O_NONBLOCK | O_NOCTTY | O_CLOEXEC: nothing that is opened can keep us waiting, or become our terminal.</summary>
    private static readonly int Careful = OperatingSystem.IsMacOS() ? 0x4 | 0x20000 | 0x1000000 : 0x800 | 0x100 | 0x80000;

    /// <summary>Opens a file for reading; others may write, replace or delete it meanwhile.</summary>
    /// <exception cref="IOException">It is not there, is no regular file, or can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static FileStream Open(string path, int bufferSize = 4096)
    {
        if (OperatingSystem.IsWindows())
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize);
        var handle = OpenNative(path, ReadOnly | Careful);
        if (handle.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw Failure(path, error);
        }
        switch (TypeOf(handle))
        {
            case Regular:
                return new FileStream(handle, FileAccess.Read, bufferSize);
            case FolderType:
                handle.Dispose();
                throw new UnauthorizedAccessException($"{path} is a folder, not a file.");
            default:
                handle.Dispose();
                throw new IOException($"{path} is a device, a pipe or a socket, not a file.");
        }
    }

    /// <summary>The bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">No more bytes than these.</param>
    /// <exception cref="IOException">As <see cref="Open"/>, or it is larger.</exception>
    /// <exception cref="UnauthorizedAccessException">As <see cref="Open"/>.</exception>
    public static byte[] ReadBytes(string path, int most)
    {
        using var file = Open(path, bufferSize: 0);
        // Its length is only what it says now.
        using var content = new MemoryStream((int)Math.Min(file.Length, most));
        var piece = new byte[1 << 16];
        for (int read; (read = file.Read(piece)) > 0;)
        {
            if (content.Length + read > most)
                throw new IOException($"{path} has more than {most} bytes.");
            content.Write(piece, 0, read);
        }
        return content.ToArray();
    }

    /// <summary>The text of a file, as UTF-8 unless it begins with a mark that says otherwise.</summary>
    /// <inheritdoc cref="ReadBytes" path="/param"/>
    /// <inheritdoc cref="ReadBytes" path="/exception"/>
    public static string ReadText(string path, int most)
    {
        using var text = new StreamReader(new MemoryStream(ReadBytes(path, most)), Encoding.UTF8);
        return text.ReadToEnd();
    }

    private static unsafe int TypeOf(SafeFileHandle handle)
    {
        // Both structures are shorter.
        var stat = stackalloc byte[StatBytes];
        var failed = OperatingSystem.IsMacOS()
            ? RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? StatMac(handle, stat) : StatMacX64(handle, stat)
            : StatLinux(handle, "", EmptyPath, WantedType, stat);
        if (failed != 0)
            throw new IOException($"What kind of file it is can't be told: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
        return *(ushort*)(stat + (OperatingSystem.IsMacOS() ? MacMode : LinuxMode)) & TypeBits;
    }

    private static Exception Failure(string path, int error) => error switch
    {
        NoFile => new FileNotFoundException($"Could not find file '{path}'.", path),
        NoAccess or NotAllowed => new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
        _ => new IOException($"{path} can't be opened: {Marshal.GetPInvokeErrorMessage(error)}.", error),
    };

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial SafeFileHandle OpenNative(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static unsafe partial int StatLinux(SafeFileHandle folder, string path, int flags, uint mask, byte* into);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static unsafe partial int StatMac(SafeFileHandle file, byte* into);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static unsafe partial int StatMacX64(SafeFileHandle file, byte* into);
}
