using System.Runtime.InteropServices;

namespace Spotter.Core.Files;

/// <summary>
/// Keeps what this program writes from the machine's other users: pictures, keys and secrets are among it. Every file and
/// folder that this process and its children make is their owner's alone, in folders too that others may look into.
/// </summary>
public static partial class OwnerOnly
{
    private const uint GroupAndOthers = 0x3F; // 077
    private const UnixFileMode Foreign = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>To be called before anything is written. On Windows a file has the rights of its folder.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetMask(GroupAndOthers);
    }

    /// <summary>Takes a file or folder that an earlier version of this program may have left open to others away from them.</summary>
    /// <exception cref="IOException">That can't be done.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static void Tighten(string path)
    {
        if (OperatingSystem.IsWindows() || File.ResolveLinkTarget(path, returnFinalTarget: false) is not null)
            return;
        var mode = File.GetUnixFileMode(path);
        if ((mode & Foreign) != UnixFileMode.None)
            File.SetUnixFileMode(path, mode & ~Foreign);
    }

    /// <summary>What other users of the machine can do with a folder, in words; null for nothing.</summary>
    public static string? ForeignRights(string folder)
    {
        if (OperatingSystem.IsWindows())
            return null;
        var mode = File.GetUnixFileMode(folder);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != UnixFileMode.None)
            return "written";
        return (mode & Foreign) != UnixFileMode.None ? "read" : null;
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);
}
