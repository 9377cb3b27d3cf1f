using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Spotter.Fleets.Processes;

/// <summary>
/// Which processes a fleet has started and not seen end, in a file: those that outlived a killed service are found by it at
/// the next start. One line for each: id, start in ticks of UTC, name.
/// </summary>
/// <param name="file">The file's path; it need not exist.</param>
internal sealed class ChildLedger(string file)
{
    // Start times are told by clocks that are not quite the same in two processes.
    private static readonly TimeSpan SameStart = TimeSpan.FromSeconds(2);

    /// <summary>Notes who is there now. A file that can't be written only means that nobody is found by it.</summary>
    public void Write(IEnumerable<(string Name, Process Process)> children)
    {
        var lines = new List<string>();
        foreach (var (name, process) in children)
        {
            try
            {
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{process.Id} {process.StartTime.ToUniversalTime().Ticks} {name}"));
            }
            catch (Exception ended) when (ended is InvalidOperationException or Win32Exception)
            {
                // It is no longer there.
            }
        }
        try
        {
            File.WriteAllLines(file, lines);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            // The orphans of the next crash then end only by themselves.
        }
    }

    /// <summary>The processes of the file that still run, with their names. Whose id is another process's by now is left out.</summary>
    public IReadOnlyList<(string Name, Process Process)> Living()
    {
        try
        {
            return File.Exists(file) ? [.. File.ReadLines(file).Select(Find).OfType<(string, Process)>()] : [];
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static (string Name, Process Process)? Find(string line)
    {
        if (line.Split(' ') is not [var idText, var startText, var name]
            || !int.TryParse(idText, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            || !long.TryParse(startText, NumberStyles.None, CultureInfo.InvariantCulture, out var start))
            return null;
        try
        {
            var process = Process.GetProcessById(id);
            if (IsCalled(process, name, start))
                return (name, process);
            process.Dispose();
            return null;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    private static bool IsCalled(Process process, string name, long start)
    {
        var arguments = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/cmdline");
        if (File.Exists(arguments))
            return File.ReadAllText(arguments).Split('\0').Contains(name, StringComparer.Ordinal);
        return (process.StartTime.ToUniversalTime() - new DateTime(start, DateTimeKind.Utc)).Duration() < SameStart;
    }
}
