using System.Diagnostics;
using System.Globalization;

namespace Spotter.EndToEnd.Harness;

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

    /// <summary>
    /// What starts a program with everything that it and its children send noted in a file. The process that is started is the
    /// program's own, the tracer's is another; the file is whole once <see cref="SeeEndAsync"/> has seen its end.
    /// </summary>
    public static ProcessStartInfo Sending(ProcessStartInfo start, string file)
    {
        string[] command = ["-D", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none", "-s", "32", "-o", file, start.FileName, .. start.ArgumentList];
        start.FileName = "strace";
        start.ArgumentList.Clear();
        foreach (var argument in command)
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>Every line of a file of <see cref="Sending"/> that holds an address of the internet's protocols, once the program has ended.</summary>
    public static async Task<IReadOnlyList<string>> SeeEndAsync(int program, string file)
    {
        // Short numbers are filled up with spaces.
        var end = string.Create(CultureInfo.InvariantCulture, $"{program,-5} +++ ");
        var lines = await Eventually.SeeAsync(
            "the trace has ended", () => Task.FromResult(ReadShared(file)), all => all.Any(line => line.StartsWith(end, StringComparison.Ordinal)));
        return [.. lines.Where(line => line.Contains("sin_addr", StringComparison.Ordinal) || line.Contains("sin6_addr", StringComparison.Ordinal) || line.Contains("inet_pton", StringComparison.Ordinal))];
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

    private static string[] ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n');
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
