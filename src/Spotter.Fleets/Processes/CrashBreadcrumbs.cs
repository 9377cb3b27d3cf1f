namespace Spotter.Fleets.Processes;

/// <summary>Names the file in which a worker process says what its threads do, which is still there when it is not.</summary>
/// <param name="Variable">The variable that tells the process the file's path.</param>
/// <param name="Bytes">The file's length.</param>
/// <param name="Folder">Where the files lie; the process may write there.</param>
public sealed record CrashBreadcrumbs(string Variable, int Bytes, string Folder)
{
    private const string Prefix = "stages-";

    /// <summary>Deletes the files that a service left which was killed.</summary>
    internal void Clear()
    {
        try
        {
            Directory.CreateDirectory(Folder);
            foreach (var file in Directory.GetFiles(Folder, Prefix + "*"))
                File.Delete(file);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // They are small.
        }
    }

    /// <summary>Makes the file for a process; its path, or null when it can't be made: then nobody knows what the worker did when it died.</summary>
    internal string? Make()
    {
        try
        {
            var path = Path.Combine(Folder, $"{Prefix}{Path.GetRandomFileName()}");
            File.WriteAllBytes(path, new byte[Bytes]);
            return path;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads what is in a file, and throws it away.</summary>
    internal static byte[] Take(string? path)
    {
        if (path is null)
            return [];
        try
        {
            var said = File.ReadAllBytes(path);
            File.Delete(path);
            return said;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
