using System.Globalization;
using Spotter.Core;

namespace Spotter.Backends.Local;

/// <summary>The folder in which one process keeps everything; held until disposed of, or until the process ends.</summary>
internal sealed class DataFolder : IDisposable
{
    private const string OwnerFile = "owner";
    private readonly FileStream hold;

    private DataFolder(string path, FileStream hold) => (Path, this.hold) = (path, hold);

    /// <summary>Its full path.</summary>
    public string Path { get; }

    /// <summary>Makes the folder if need be and takes it for this process alone.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: it can't be used, or another process has it.</exception>
    public static DataFolder Open(string folder)
    {
        var path = System.IO.Path.GetFullPath(folder);
        var owned = System.IO.Path.Combine(path, OwnerFile);
        if (File.Exists(path))
            throw Refused($"The data folder {path} is a file; name a folder instead.");
        try
        {
            DurableFiles.CreateFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused($"The data folder {path} can't be made ({e.Message.TrimEnd('.')}); name another with --data.", e);
        }

        FileStream taken;
        try
        {
            taken = new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Refused($"The data folder {path} can't be written to; change its permissions or name another with --data.", e);
        }
        catch (IOException e) when (DurableFiles.IsHeld(e))
        {
            var owner = OwnerOf(owned) is { } id ? $"process {id}" : "another process";
            throw Refused($"The data folder {path} is in use by {owner}; stop that one or name another with --data.", e);
        }
        catch (IOException e)
        {
            throw Refused($"The data folder {path} can't be taken ({e.Message.TrimEnd('.')}); name another with --data.", e);
        }

        try
        {
            File.WriteAllText(owned, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            taken.Dispose();
            throw Refused($"The data folder {path} can't be written to ({e.Message.TrimEnd('.')}); make room in it or name another with --data.", e);
        }
        return new DataFolder(path, taken);
    }

    public void Dispose()
    {
        try
        {
            File.Delete(System.IO.Path.Combine(Path, OwnerFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only names the owner; what counts is the lock.
        }
        hold.Dispose();
    }

    // The lock is the operating system's and ends with the process; this file only says whose it is.
    private static string? OwnerOf(string ownerFile)
    {
        try
        {
            return File.ReadAllText(ownerFile) is { Length: > 0 } owner ? owner : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static SpotterException Refused(string message, Exception? cause = null) =>
        new(ErrorCodes.StoreUnavailable, message, cause);
}
