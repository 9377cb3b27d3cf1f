using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Backends.Local;

/// <summary>
/// Copies a data folder, also while a service runs on it: first the job store as it is at one moment, then the pictures. A picture is
/// durable before the row that names it, so each job of the copy has its pictures, but for those that expire meanwhile.
/// </summary>
public static class LocalBackup
{
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(30);

    /// <summary>What is only about a running process, or copied by SQLite.</summary>
    private static readonly string[] LeftOut = ["lock", "owner", "address", "scratch", "workers", SqliteDatabase.FileName, SqliteDatabase.FileName + "-wal", SqliteDatabase.FileName + "-shm"];

    /// <summary>Makes the copy; returns once it would survive a power cut.</summary>
    /// <param name="data">The data folder.</param>
    /// <param name="into">A folder that is empty or not there.</param>
    /// <param name="cancel">Ends it; what was copied is left.</param>
    /// <exception cref="SpotterException">There is no job store, the other folder has something in it, or a disk is at fault.</exception>
    public static BackupSize Make(string data, string into, CancellationToken cancel)
    {
        if (into.Length == 0)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The folder for the copy has no name; name one that is empty or not there.");
        var (from, to) = (Whereabouts(data), Whereabouts(into));
        if (!File.Exists(Path.Combine(from, SqliteDatabase.FileName)))
            throw new SpotterException(ErrorCodes.NotFound, $"There is no job store in {from}; name the data folder of a service with --data.");
        if (File.Exists(to) || (Directory.Exists(to) && Directory.EnumerateFileSystemEntries(to).Any()))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{to} has something in it already; name a folder that is empty or not there.");
        if ((to + Path.DirectorySeparatorChar).StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{to} is in the data folder itself; name a folder elsewhere, best on another disk.");
        try
        {
            DurableFiles.CreateFolder(to);
            var jobs = CopyStore(from, to);
            var (files, bytes) = CopyFolder(from, to, isTop: true, cancel);
            DurableFiles.SyncFolder(to);
            return new BackupSize(jobs, files, bytes);
        }
        catch (SqliteFault fault)
        {
            throw fault.ToRefusal();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw DurableFiles.IsDiskFull(failed)
                ? new SpotterException(ErrorCodes.DiskFull, $"There is no room for the copy in {to}; delete what is there of it, and name another disk.", failed)
                : new SpotterException(ErrorCodes.StoreUnavailable, $"The copy could not be made: {failed.Message}", failed);
        }
    }

    /// <summary>Where a path leads, through all links on the way; of what is not there, as far as it is.</summary>
    private static string Whereabouts(string path)
    {
        var full = Path.GetFullPath(path);
        if (new DirectoryInfo(full) is { Exists: true } there)
            full = there.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full;
        return Path.GetDirectoryName(full) is { } parent ? Path.Combine(Whereabouts(parent), Path.GetFileName(full)) : full;
    }

    /// <summary>SQLite copies the file as it is at one moment, while others write; how many jobs that has.</summary>
    private static long CopyStore(string from, string to)
    {
        var copy = Path.Combine(to, SqliteDatabase.FileName);
        using (var store = new SqliteConnection(Path.Combine(from, SqliteDatabase.FileName), readOnly: false, BusyTimeout))
        {
            // It may be the last to close it, and must not change what it only reads.
            store.LeaveLogOnClose();
            store.ExecuteScript($"VACUUM INTO '{copy.Replace("'", "''", StringComparison.Ordinal)}'");
        }
        OwnerAlone(copy);
        Flush(copy);
        using var made = new SqliteConnection(copy, readOnly: true, BusyTimeout);
        using (var check = made.Prepare("PRAGMA quick_check"))
        {
            if (!check.Step() || check.Text(0) != "ok")
                throw new SpotterException(ErrorCodes.StoreUnavailable, $"The copy of the job store in {to} is damaged, and so may be the job store itself; check the disks.");
        }
        return made.Scalar("SELECT count(*) FROM jobs");
    }

    private static (long Files, long Bytes) CopyFolder(string from, string to, bool isTop, CancellationToken cancel)
    {
        var (files, bytes) = (0L, 0L);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            cancel.ThrowIfCancellationRequested();
            var copy = Path.Combine(to, entry.Name);
            // What is unfinished is nobody's yet.
            if (entry.Name is FolderBlobStore.UnfinishedName or FolderBlobStore.LentName || (isTop && LeftOut.Contains(entry.Name, StringComparer.Ordinal)))
                continue;
            // Pictures or models may lie on another disk; further below nobody made a link.
            if (entry.LinkTarget is not null && !isTop)
                continue;
            if (entry is DirectoryInfo)
            {
                DurableFiles.CreateFolder(copy);
                var (someFiles, someBytes) = CopyFolder(Whereabouts(entry.FullName), copy, isTop: false, cancel);
                (files, bytes) = (files + someFiles, bytes + someBytes);
                DurableFiles.SyncFolder(copy);
                continue;
            }
            try
            {
                bytes += CopyFile(entry.FullName, copy);
                files++;
            }
            catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
            {
                // It has expired meanwhile.
            }
        }
        return (files, bytes);
    }

    /// <summary>Copies a file for its owner alone; its length.</summary>
    private static long CopyFile(string from, string to)
    {
        using var source = RegularFile.Open(from);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var copy = new FileStream(to, options);
        source.CopyTo(copy);
        copy.Flush(flushToDisk: true);
        return copy.Length;
    }

    private static void OwnerAlone(string file)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static void Flush(string file)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }
}

/// <summary>What was copied.</summary>
/// <param name="Jobs">Jobs in the store.</param>
/// <param name="Files">Files besides: pictures, models, keys.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record BackupSize(long Jobs, long Files, long Bytes);
