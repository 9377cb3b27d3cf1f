using System.Diagnostics;
using System.Globalization;

namespace Spotter.Worker;

/// <summary>
/// Where a worker keeps what is too large for memory while a job runs. Nothing is made before it is needed; what workers
/// left behind that were killed goes when the next one needs room.
/// </summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "spotter-worker-";

    private readonly Lazy<string> path;

    public ScratchFolder() => path = new Lazy<string>(static () =>
    {
        DeleteOrphans();
        return Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-").FullName;
    });

    /// <summary>The path of a file that is not there yet.</summary>
    public string NewFile() => Path.Combine(path.Value, Path.GetRandomFileName());

    public void Dispose()
    {
        if (path.IsValueCreated)
            Directory.Delete(path.Value, recursive: true);
    }

    private static void DeleteOrphans()
    {
        foreach (var folder in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var id = Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var process) || IsRunning(process))
                continue;
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
            {
                // Another worker deletes it too, or it is another user's.
            }
        }
    }

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
