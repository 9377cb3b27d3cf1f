using System.Globalization;
using System.Runtime.InteropServices;

namespace Spotter.EndToEnd.Harness;

/// <summary>Signals, and who is whose child.</summary>
internal static partial class Processes
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public static readonly int Stop = OperatingSystem.IsMacOS() ? 17 : 19;
    public static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;

    /// <summary>Sends a signal; nothing happens when the process is gone.</summary>
    public static void Signal(int process, int signal) => _ = SendSignal(process, signal);

    /// <summary>True while it runs; one that has ended and only waits to be asked for its status does not.</summary>
    public static bool IsAlive(int process) => State(process) is { } state && state is not ('Z' or 'X');

    /// <summary>The children of a process.</summary>
    public static IReadOnlyList<int> ChildrenOf(int parent)
    {
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)
                && Stat(id) is [var state, var of, ..] && state is not ("Z" or "X")
                && int.Parse(of, CultureInfo.InvariantCulture) == parent)
            {
                children.Add(id);
            }
        }
        return children;
    }

    /// <summary>The arguments it was started with; empty when it is gone.</summary>
    public static IReadOnlyList<string> ArgumentsOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Most memory that it has had so far, in bytes (<c>VmHWM</c>).</summary>
    public static long MostMemoryOf(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Processor time that it and its threads have used so far, in steps of 10 ms.</summary>
    public static TimeSpan ProcessorTimeOf(int process)
    {
        // utime and stime, in ticks of which Linux shows a hundred a second everywhere.
        var fields = Stat(process);
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    private static char? State(int process) => Stat(process) is [var state, ..] ? state[0] : null;

    /// <summary>The fields after the name: state, parent, ….</summary>
    private static string[] Stat(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SendSignal(int process, int signal);
}
