using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// Blobs as files of a folder, which any number of processes may use, on any machine that has it mounted. A blob is
/// written under a temporary name that nobody else has, flushed, and then renamed, so that under its key there is all of
/// it or nothing.
/// </summary>
internal sealed class FolderBlobStore : IBlobStore, IBlobFiles, IDisposable
{
    /// <summary>The folder of what is not written to its end.</summary>
    public const string UnfinishedName = ".unfinished";

    /// <summary>The folder of what is lent.</summary>
    public const string LentName = ".lent";

    // What lets somebody read a picture.
    private const int LentNameBytes = 16;

    private const int BufferBytes = 256 * 1024;
    private const UnixFileMode WholeGroup = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    private readonly string root;
    private readonly string unfinished;
    private readonly string process;
    private readonly RandomSource random;
    private readonly UnixFileMode group;
    private readonly ConcurrentDictionary<string, Lazy<bool>> folders = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FolderSync> syncs = new(StringComparer.Ordinal);
    private readonly DiskThreads disk = new();
    private readonly TaskCompletionSource<Exception> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long lastTemporary;

    /// <summary>Uses a folder, making it if need be.</summary>
    /// <param name="folder">Where the files lie.</param>
    /// <param name="random">Tells this process's temporary files from those of others.</param>
    /// <param name="shared">True to give the folder's group what it may do there with all that is made in it; else only the owner may.</param>
    /// <exception cref="SpotterException">The folder can't be used.</exception>
    public FolderBlobStore(string folder, RandomSource random, bool shared = false)
    {
        root = Path.GetFullPath(folder);
        unfinished = Path.Combine(root, UnfinishedName);
        LentFolder = Path.Combine(root, LentName);
        this.random = random;
        process = random.NextHex(8);
        try
        {
            DurableFiles.CreateFolder(root);
            group = shared && !OperatingSystem.IsWindows() ? File.GetUnixFileMode(root) & WholeGroup : UnixFileMode.None;
            DurableFiles.CreateFolder(unfinished);
            ShareFolder(unfinished);
            DurableFiles.CreateFolder(LentFolder);
            ShareFolder(LentFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal("open", root, e);
        }
    }

    /// <summary>Completes, with the reason, when the names of files can't be made durable any more.</summary>
    public Task<Exception> Failed => failed.Task;

    /// <inheritdoc/>
    public string LentFolder { get; }

    /// <inheritdoc/>
    public IBlobFiles Files => this;

    /// <summary>Flushes a file; another in tests, which can't make a disk hang.</summary>
    internal Action<SafeFileHandle> FlushFile { get; init; } = RandomAccess.FlushToDisk;

    /// <summary>Flushes a folder; as <see cref="FlushFile"/>.</summary>
    internal Action<string> FlushFolder { get; init; } = DurableFiles.SyncFolder;

    public async Task PutAsync(string key, Stream content, CancellationToken cancel)
    {
        var path = PathOf(key);
        if (failed.Task.IsCompleted)
            throw Refusal("write", key, await failed.Task);
        var temporary = NewTemporary();
        try
        {
            using (var file = await WriteAsync(temporary, content, cancel))
                await disk.RunAsync(() => Finish(file, temporary, path), cancel);
            Failpoint.At("blob-durable");
        }
        catch (Exception e)
        {
            TryDelete(temporary);
            if (e is DiskException failure)
                throw Refusal("write", key, failure.InnerException!);
            throw;
        }
    }

    public Task<Stream?> OpenAsync(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        cancel.ThrowIfCancellationRequested();
        try
        {
            // By its worker, soon after it was written; keeping it in memory any longer helps nobody.
            return Task.FromResult<Stream?>(new ReadOnceFile(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // A folder that is not mounted is empty too, and that must not end a job.
            return Directory.Exists(unfinished)
                ? Task.FromResult<Stream?>(null)
                : throw new SpotterException(ErrorCodes.StoreUnavailable, $"The folder of the blob store, {root}, is gone; mount it again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal("read", key, e);
        }
    }

    public string? Lend(string key)
    {
        var file = Path.Combine(LentFolder, random.NextHex(LentNameBytes));
        return DurableFiles.TryLink(PathOf(key), file) ? file : null;
    }

    public Task DeleteAsync(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        cancel.ThrowIfCancellationRequested();
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // There was no such blob.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal("delete", key, e);
        }
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListAsync(
        string prefix, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Folders are part of keys, so the search begins in the deepest one that the prefix names.
        var folder = prefix[..(prefix.LastIndexOf('/') + 1)];
        if (folder.Length > 0 && !BlobKey.IsValid(folder))
            yield break;
        IEnumerator<string>? files = null;
        try
        {
            while (true)
            {
                string key;
                try
                {
                    files ??= FilesIn(Path.Combine(root, folder), before);
                    if (!files.MoveNext())
                        break;
                    key = files.Current;
                }
                catch (DirectoryNotFoundException)
                {
                    break;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw Refusal("list", prefix, e);
                }
                if (key.StartsWith(prefix, StringComparison.Ordinal) && BlobKey.IsValid(key))
                    yield return key;
                cancel.ThrowIfCancellationRequested();
                await Task.CompletedTask;
            }
        }
        finally
        {
            files?.Dispose();
        }
    }

    /// <remarks>Never what this process writes itself, however slowly it comes. Of what is lent the time is that of its writing, so a reader may find it gone, and asks for it by key.</remarks>
    public Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel)
    {
        try
        {
            var others = new DirectoryInfo(unfinished).EnumerateFiles().Where(f => !f.Name.StartsWith(process, StringComparison.Ordinal));
            // Without its folder nothing is lent, and everything goes on.
            var lent = Directory.Exists(LentFolder) ? new DirectoryInfo(LentFolder).EnumerateFiles() : [];
            foreach (var file in others.Concat(lent).Where(f => f.LastWriteTimeUtc < before.UtcDateTime))
            {
                TryDelete(file.FullName);
                cancel.ThrowIfCancellationRequested();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal("list", unfinished, e);
        }
        return Task.CompletedTask;
    }

    /// <summary>Takes nothing more.</summary>
    public void Dispose() => disk.Dispose();

    private string NewTemporary() => Path.Combine(unfinished, $"{process}-{Interlocked.Increment(ref lastTemporary):x}");

    private IEnumerator<string> FilesIn(string folder, DateTimeOffset before) =>
        new FileSystemEnumerable<string>(
            folder,
            (ref FileSystemEntry entry) => Path.GetRelativePath(root, entry.ToFullPath()).Replace(Path.DirectorySeparatorChar, '/'),
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && entry.LastWriteTimeUtc < before,
        }.GetEnumerator();

    /// <summary>Writes what comes, into the system's memory at first; it is flushed when there is all of it.</summary>
    private async Task<SafeFileHandle> WriteAsync(string temporary, Stream content, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var file = OnDisk(() => File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None));
        OnDisk(() => ShareFile(file));
        try
        {
            long length = 0;
            while (true)
            {
                // What the sender's stream throws is the sender's affair; only our own side becomes a refusal.
                var filled = await content.ReadAtLeastAsync(buffer, BufferBytes, throwOnEndOfStream: false, cancel);
                if (filled == 0)
                    return file;
                var offset = length;
                OnDisk(() => RandomAccess.Write(file, buffer.AsSpan(0, filled), offset));
                length += filled;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Makes a file durable and only then gives it its name, which is durable once the task has completed.</summary>
    private Task Finish(SafeFileHandle file, string temporary, string path)
    {
        Failpoint.At("blob-written");
        OnDisk(() => Flush(file));
        file.Dispose();
        Failpoint.At("blob-flushed");
        var folder = Path.GetDirectoryName(path)!;
        EnsureFolder(folder);
        try
        {
            OnDisk(() => File.Move(temporary, path, overwrite: true));
        }
        catch (DiskException e) when (e.InnerException is DirectoryNotFoundException)
        {
            // Somebody has tidied up meanwhile.
            folders.Clear();
            EnsureFolder(folder);
            OnDisk(() => File.Move(temporary, path, overwrite: true));
        }
        Failpoint.At("blob-named");
        return SyncOf(folder).Sync();
    }

    private FolderSync SyncOf(string folder) =>
        syncs.GetOrAdd(folder, static (folder, store) => new FolderSync(store.disk, () => OnDisk(() => store.SyncFolder(folder))), this);

    /// <summary>
    /// Makes sure that a folder and its own name are durable: once per process, as an earlier one may have ended
    /// between making and flushing it. Others who need it meanwhile wait.
    /// </summary>
    private void EnsureFolder(string folder)
    {
        if (folder == root)
            return;
        var made = folders.GetOrAdd(folder, static (folder, store) => new Lazy<bool>(() => store.MakeFolder(folder)), this);
        try
        {
            _ = made.Value;
        }
        catch (DiskException)
        {
            folders.TryRemove(new(folder, made));
            throw;
        }
    }

    private bool MakeFolder(string folder)
    {
        var parent = Path.GetDirectoryName(folder)!;
        EnsureFolder(parent);
        OnDisk(() =>
        {
            Directory.CreateDirectory(folder);
            ShareFolder(folder);
        });
        OnDisk(() => SyncFolder(parent));
        return true;
    }

    private string PathOf(string key) =>
        BlobKey.IsValid(key)
            ? Path.Combine(root, key.Replace('/', Path.DirectorySeparatorChar))
            : throw new ArgumentException("This is not a key of a blob.", nameof(key));

    /// <summary>Whatever the mask of this process takes away. Another user's folder has been seen to by that one.</summary>
    private void ShareFolder(string folder)
    {
        if (OperatingSystem.IsWindows() || group == UnixFileMode.None)
            return;
        try
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | group);
        }
        catch (UnauthorizedAccessException)
        {
            // Its owner has done the same.
        }
    }

    private void ShareFile(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows() && group != UnixFileMode.None)
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | (group & ~UnixFileMode.GroupExecute));
    }

    private void Flush(SafeFileHandle file)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("blob-not-flushed"))
            return;
#endif
        FlushFile(file);
    }

    private void SyncFolder(string folder)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("folder-not-flushed"))
            return;
#endif
        try
        {
            // The system says of a failure once, to whoever asks first, and the next flush succeeds without the names of others.
            if (!failed.Task.IsCompleted)
                FlushFolder(folder);
        }
        catch (IOException e) when (!DurableFiles.IsDiskFull(e))
        {
            failed.TrySetResult(e);
        }
        if (failed.Task.IsCompleted)
            throw new IOException(failed.Task.Result.Message, failed.Task.Result);
    }

    private static void TryDelete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is deleted at a later start.
        }
    }

    private static void OnDisk(Action action) =>
        OnDisk(() =>
        {
            action();
            return true;
        });

    private static T OnDisk<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DiskException(e);
        }
    }

    private static SpotterException Refusal(string what, string name, Exception cause) =>
        DurableFiles.IsDiskFull(cause)
            ? new(ErrorCodes.DiskFull, "The disk of the blob store is full; free some space and try again.", cause)
            : new(ErrorCodes.StoreUnavailable, $"The blob store could not {what} {name} ({cause.Message.TrimEnd('.')}); check its folder and try again.", cause);

    /// <summary>Tells what our own disk threw from what the sender's stream threw.</summary>
    private sealed class DiskException(Exception cause) : Exception(cause.Message, cause);
}
