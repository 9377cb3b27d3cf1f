using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>A running <c>spotter serve</c>. Disposing of it ends it and every worker that it started, and nothing else.</summary>
public sealed class SpotterProcess : IAsyncDisposable
{
    private const string CamerasReady = "camera software on ";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder log = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<int> seenWorkers = [];
    private readonly List<string> output = [];
    private bool disposed;

    private SpotterProcess(Process process) => this.process = process;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Where it serves camera software only; null when it doesn't.</summary>
    public Uri? CameraAddress => Output.FirstOrDefault(line => line.StartsWith(CamerasReady, StringComparison.Ordinal)) is { } line ? new Uri(line[CamerasReady.Length..]) : null;

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>True once it has ended.</summary>
    public bool HasExited => disposed || process.HasExited;

    /// <summary>What it has written to standard error, its workers' included.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>The lines that it has written to standard output.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (output)
                return [.. output];
        }
    }

    /// <summary>Starts it and waits until it listens.</summary>
    public static async Task<SpotterProcess> StartAsync(
        string data, string? model, IEnumerable<string>? arguments = null, IReadOnlyDictionary<string, string>? environment = null, int port = 0,
        string command = "serve", string? trace = null)
    {
        string[] all =
        [
            command, "--port", port.ToString(CultureInfo.InvariantCulture), "--data", data,
            .. model is null ? Array.Empty<string>() : ["--model", model], .. arguments ?? [],
        ];
        var start = SpotterProgram.StartInfo(all, environment);
        var program = new Process { StartInfo = trace is null ? start : Strace.Sending(start, trace), EnableRaisingEvents = true };
        var started = new SpotterProcess(program);
        program.OutputDataReceived += (_, line) => started.OnOutput(line.Data);
        program.ErrorDataReceived += (_, line) => started.OnError(line.Data);
        program.Exited += (_, _) => started.listening.TrySetException(new InvalidOperationException("It ended before it listened."));
        program.Start();
        program.BeginOutputReadLine();
        program.BeginErrorReadLine();
        try
        {
            started.Address = await started.listening.Task.WaitAsync(Patience);
            return started;
        }
        catch (Exception failed)
        {
            await started.DisposeAsync();
            throw new InvalidOperationException($"spotter {string.Join(' ', all)} did not start. {failed.Message} It said:\n{started.Log}", failed);
        }
    }

    /// <summary>Starts a worker of its own, as on another machine; <see cref="Address"/> is the gateway's.</summary>
    public static SpotterProcess StartWorker(Uri gateway, string data, IReadOnlyDictionary<string, string> environment) =>
        StartJoining(gateway, ["worker", "--data", data, "--lanes", "1"], environment);

    /// <summary>Starts whatever joins a gateway as a worker does; <see cref="Address"/> is the gateway's.</summary>
    public static SpotterProcess StartJoining(Uri gateway, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var program = new Process { StartInfo = SpotterProgram.StartInfo([.. arguments, "--server", gateway.ToString()], environment) };
        var started = new SpotterProcess(program) { Address = gateway };
        program.OutputDataReceived += (_, line) => started.OnOutput(line.Data);
        program.ErrorDataReceived += (_, line) => started.OnError(line.Data);
        program.Start();
        program.BeginOutputReadLine();
        program.BeginErrorReadLine();
        return started;
    }

    /// <summary>The worker processes that run now.</summary>
    public IReadOnlyList<int> Workers()
    {
        var workers = Processes.ChildrenOf(Id).Where(child => Processes.ArgumentsOf(child).Contains("worker", StringComparer.Ordinal)).ToList();
        lock (seenWorkers)
            seenWorkers.UnionWith(workers);
        return workers;
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        // Whoever it leaves behind is known for the disposal.
        Workers();
        Processes.Signal(Id, Processes.Kill);
        await process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>Waits for its end, however it comes; the exit status.</summary>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        await process.WaitForExitAsync().WaitAsync(within ?? Patience);
        return process.ExitCode;
    }

    /// <summary>Waits for its end, after a SIGTERM unless it has been told otherwise; the exit status.</summary>
    public async Task<int> TerminateAsync(bool signal = true)
    {
        if (signal)
            Processes.Signal(Id, Processes.Terminate);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        if (!process.HasExited)
        {
            Workers();
            Processes.Signal(Id, Processes.Kill);
        }
        List<int> left;
        lock (seenWorkers)
            left = [.. seenWorkers];
        foreach (var worker in left.Where(w => Processes.ArgumentsOf(w).Contains("worker", StringComparer.Ordinal)))
            Processes.Signal(worker, Processes.Kill);
        // Not before its workers have ended too: they write to the same pipes.
        await ExitAsync();
        process.Dispose();
    }

    private void OnOutput(string? line)
    {
        const string Ready = "listening on ";
        if (line is null)
            return;
        lock (output)
            output.Add(line);
        if (line.StartsWith(Ready, StringComparison.Ordinal))
            listening.TrySetResult(new Uri(line[Ready.Length..]));
    }

    private void OnError(string? line)
    {
        if (line is null)
            return;
        lock (log)
            log.AppendLine(line);
    }
}
