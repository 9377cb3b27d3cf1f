namespace Spotter.Vision.Models;

/// <summary>What can be seen of a file without reading it; whoever writes to it or puts another in its place changes this.</summary>
/// <param name="Target">The file itself, when it was named through a link.</param>
/// <param name="Length">Its length in bytes; -1 when it is not there.</param>
/// <param name="Written">When it was last written to.</param>
/// <param name="Created">When it came to be.</param>
public readonly record struct FileStamp(string Target, long Length, DateTime Written, DateTime Created)
{
    /// <summary>True when the file is there.</summary>
    public bool Exists => Length >= 0;

    /// <summary>The stamp of a file.</summary>
    public static FileStamp Of(string file)
    {
        try
        {
            FileSystemInfo info = new FileInfo(file);
            // Where volumes are mounted, a new version often is a link that leads elsewhere.
            if (info.LinkTarget is not null)
                info = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            return info is FileInfo { Exists: true } there
                ? new(there.FullName, there.Length, there.LastWriteTimeUtc, there.CreationTimeUtc)
                : new(file, -1, default, default);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return new(file, -1, default, default);
        }
    }
}
