namespace Spotter.Jobs;

/// <summary>
/// Blobs that are files on this machine, and what lets another process read one of them without its bytes being sent: a hard link to
/// the file, under a name that nobody can guess, in a folder that this process may open files in and remove them from, but neither list nor write to.
/// </summary>
public interface IBlobFiles
{
    /// <summary>The folder of what is lent; it is there.</summary>
    string LentFolder { get; }

    /// <summary>
    /// The path of a file with the bytes of a blob, for one reader, who removes it once it is open. What nobody removes goes with
    /// <see cref="IBlobStore.DeleteUnfinishedAsync"/>.
    /// </summary>
    /// <returns>Null when there is no such blob, or the file system has no hard links: then it is read with <see cref="IBlobStore.OpenAsync"/>.</returns>
    string? Lend(string key);
}
