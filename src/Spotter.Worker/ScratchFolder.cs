namespace Spotter.Worker;

/// <summary>
/// Where a worker keeps what is too large for memory while a job runs: a folder, and beside it a file that the worker holds
/// locked as long as it lives. What workers left behind that were killed has no lock, and goes when the next one starts.
/// </summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "spotter-worker-";
    private const string LockSuffix = ".lock";

    private readonly Lock gate = new();
    private readonly string place;
    private FileStream? held;

    /// <summary>Makes nothing yet, but deletes what others have left.</summary>
    /// <param name="place">The folder in which workers make theirs; null for the machine's own for temporary files.</param>
    public ScratchFolder(string? place = null)
    {
        this.place = place ?? Path.GetTempPath();
        DeleteOrphans();
    }

    /// <summary>A folder for one job, which is made when its first file is.</summary>
    public JobFolder NewFolder() => new(() => Path.Combine(Own(), Path.GetRandomFileName()));

    public void Dispose()
    {
        lock (gate)
        {
            if (held is null)
                return;
            Delete(held);
            held = null;
        }
    }

    /// <summary>The worker's own folder, which is there from then on.</summary>
    private string Own()
    {
        lock (gate)
        {
            if (held is null)
            {
                var path = Path.Combine(place, $"{Prefix}{Path.GetRandomFileName()}");
                // Locked before the folder is there, so that nobody takes that for an orphan.
                held = new FileStream(path + LockSuffix, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(path);
                else
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            return FolderOf(held);
        }
    }

    private void DeleteOrphans()
    {
        if (!Directory.Exists(place))
            return;
        foreach (var file in Directory.GetFiles(place, Prefix + "*" + LockSuffix))
        {
            if (TryLock(file) is { } orphan)
                Delete(orphan);
        }
    }

    private static void Delete(FileStream locked)
    {
        using (locked)
        {
            try
            {
                if (Directory.Exists(FolderOf(locked)))
                    Directory.Delete(FolderOf(locked), recursive: true);
                File.Delete(locked.Name);
            }
            catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
            {
                // The next worker that starts tries again.
            }
        }
    }

    private static string FolderOf(FileStream locked) => locked.Name[..^LockSuffix.Length];

    /// <summary>Null when another process has it, or it is another user's.</summary>
    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>The files of one job: its inputs where they are large, and what it makes. Gone when the job has been handed in.</summary>
/// <param name="newPath">Where the folder goes, once there is a file in it.</param>
internal sealed class JobFolder(Func<string> newPath) : IDisposable
{
    private readonly Lazy<string> path = new(() => Directory.CreateDirectory(newPath()).FullName);

    /// <summary>The path of a file that is not there yet.</summary>
    public string NewFile() => Path.Combine(path.Value, Path.GetRandomFileName());

    public void Dispose()
    {
        if (path.IsValueCreated && Directory.Exists(path.Value))
            Directory.Delete(path.Value, recursive: true);
    }
}
