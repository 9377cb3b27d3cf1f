using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Spotter.Cli.Detect;
using Spotter.Core.Files;

namespace Spotter.Cli.Watch;

/// <summary>
/// The new pictures of a folder and its subfolders. The system's events only say when to look: they get lost, are missing on network file
/// systems, and their number is bounded, so the folder is looked through from time to time as well.
/// </summary>
/// <param name="folder">The folder's full path.</param>
/// <param name="takesExisting">True when the pictures that are there already count too.</param>
/// <param name="connection">How the folder stands: it may be on a disk that is taken out.</param>
/// <param name="time">The clock.</param>
internal sealed class FolderSource(string folder, bool takesExisting, Connection connection, TimeProvider time) : IFrameSource
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rescan = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim woken = new(0, 1);
    private readonly ConcurrentQueue<string> renamed = new();
    private readonly FolderFiles files = new(Settle, takesExisting);
    private volatile bool isBlind = true;

    public bool IsLive => false;

    public async IAsyncEnumerable<Frame> FramesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        FileSystemWatcher? watcher = null;
        var start = time.GetTimestamp();
        try
        {
            while (true)
            {
                if (isBlind)
                {
                    watcher?.Dispose();
                    watcher = TryWatch();
                }
                IReadOnlyList<SeenFile> ready;
                try
                {
                    while (renamed.TryDequeue(out var path))
                        files.Complete(path);
                    ready = files.Look(PicturesIn(folder), time.GetElapsedTime(start));
                    connection.Works();
                }
                catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
                {
                    isBlind = true;
                    await connection.FailedAsync(gone.Message.TrimEnd('.'), cancel);
                    continue;
                }
                foreach (var file in ready)
                {
                    if (TryRead(file) is { } frame)
                        yield return frame;
                }
                // What is being written is looked at again soon; nothing that happened during the look is missed.
                await woken.WaitAsync(files.HasUnsettled ? Settle / 2 : Rescan, cancel);
                // A file that is being written makes many events; they are all seen by the next look.
                await Task.Delay(Pause, time, cancel);
            }
        }
        finally
        {
            watcher?.Dispose();
        }
    }

    public void Dispose() => woken.Dispose();

    /// <summary>The pictures below a folder, without those that the system counts as hidden: programs name so what is not finished.</summary>
    /// <exception cref="IOException">The folder is gone.</exception>
    internal static IEnumerable<SeenFile> PicturesIn(string folder)
    {
        foreach (var path in PictureList.In(folder, output: null))
        {
            var file = new FileInfo(path);
            // One that went away since it was listed.
            if (file.Exists)
                yield return new(path, file.Length, file.LastWriteTimeUtc);
        }
    }

    private Frame? TryRead(SeenFile file)
    {
        try
        {
            return new Frame(Path.GetFileName(file.Path), RegularFile.ReadBytes(file.Path, PictureFile.MaxBytes), time.GetUtcNow()) { File = file.Path };
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            StandardError.Complain($"{file.Path} is left out, as it can't be read: {unreadable.Message}");
            return null;
        }
    }

    /// <summary>Has the system say when something changes; null where it can't, as when too many watch already.</summary>
    private FileSystemWatcher? TryWatch()
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size };
            watcher.Created += (_, _) => Wake();
            watcher.Changed += (_, _) => Wake();
            watcher.Renamed += (_, change) =>
            {
                renamed.Enqueue(change.FullPath);
                Wake();
            };
            watcher.Error += (_, _) =>
            {
                isBlind = true;
                Wake();
            };
            watcher.EnableRaisingEvents = true;
            isBlind = false;
            return watcher;
        }
        catch (Exception none) when (none is IOException or ArgumentException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            return null;
        }
    }

    private void Wake()
    {
        try
        {
            if (woken.CurrentCount == 0)
                woken.Release();
        }
        catch (Exception needless) when (needless is SemaphoreFullException or ObjectDisposedException)
        {
            // Another event woke it in the same moment, or it has ended.
        }
    }
}
