using System.Diagnostics;
using System.Globalization;

namespace Spotter.Faults.Harness;

/// <summary>Watches the system calls of a process that runs already, or makes some of them fail.</summary>
internal sealed class Strace : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly string file;

    private Strace(Process process, string file) => (this.process, this.file) = (process, file);

    /// <summary>Why it can't be used here; null when it can.</summary>
    public static string? Missing { get; } = Probe();

    /// <summary>Attaches to all threads of a process.</summary>
    public static async Task<Strace> AttachAsync(int target, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "strace", ["-f", "-y", "-s", "48", "-o", file, .. arguments, "-p", target.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var tracer = new Process { StartInfo = start };
        var attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        tracer.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("attached", StringComparison.Ordinal) == true)
                attached.TrySetResult();
        };
        tracer.Start();
        tracer.BeginErrorReadLine();
        await attached.Task.WaitAsync(Patience);
        return new Strace(tracer, file);
    }

    /// <summary>Lets go of the process; what it has called, in order.</summary>
    public async Task<IReadOnlyList<string>> DetachAsync()
    {
        await DisposeAsync();
        return await File.ReadAllLinesAsync(file);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            Processes.Signal(process.Id, Processes.Interrupt);
        await process.WaitForExitAsync().WaitAsync(Patience);
    }

    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux())
            return "strace is for Linux";
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("strace", ["-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true, UseShellExecute = false })!;
            probe.WaitForExit();
            return probe.ExitCode == 0 ? null : "strace may not trace here; it takes the capability SYS_PTRACE";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "strace is not installed (apt-get install strace)";
        }
    }
}

/// <summary>A test that needs strace; counted as skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute() => Skip = Strace.Missing;
}

/// <summary>Tests of planted mistakes, which need the program built with them; counted as skipped where it is not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PlantedTheoryAttribute : TheoryAttribute
{
    public PlantedTheoryAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "this needs what only Linux has";
        else if (!File.Exists(SpotterProgram.PlantedFile))
            Skip = "the program with planted bugs is not built (./test faults does it)";
    }
}
