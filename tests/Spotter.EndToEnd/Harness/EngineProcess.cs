using System.Diagnostics;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>A worker with an engine of its own: a program that is none of Spotter's. Disposing of it ends it.</summary>
public sealed class EngineProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder log = new();

    private EngineProcess(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError, start.UseShellExecute) = (true, true, false);
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where Python 3 is; null where it is not.</summary>
    public static string? Python { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "python3")).FirstOrDefault(File.Exists);

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>True once it has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>What it has written.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Starts the example in Python.</summary>
    public static EngineProcess StartPython(Uri gateway, string token, string name, params string[] more) =>
        StartPython("brightness.py", gateway, token, name, more);

    /// <summary>Starts one of the examples in Python.</summary>
    public static EngineProcess StartPython(string program, Uri gateway, string token, string name, params string[] more) =>
        Start(Python!, [Path.Combine(SharedFiles.Repository, "examples", "python", program)], gateway, token, name, more);

    /// <summary>Starts the example in C#.</summary>
    public static EngineProcess StartCSharp(Uri gateway, string token, string name, params string[] more)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
        return Start("dotnet", [Path.Combine(SharedFiles.Repository, "examples", "csharp", "Colours", "bin", configuration, "net10.0", "Colours.dll")], gateway, token, name, more);
    }

    /// <summary>Waits until it has joined.</summary>
    public Task JoinedAsync() => Eventually.SeeAsync("the engine joins", () => Task.FromResult(Log), log => log.Contains("joined", StringComparison.Ordinal), Patience);

    /// <summary>Sends a signal and waits for its end; the exit status.</summary>
    public async Task<int> EndAsync(int signal)
    {
        Processes.Signal(Id, signal);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        process.Dispose();
    }

    private static EngineProcess Start(string program, IEnumerable<string> arguments, Uri gateway, string token, string name, string[] more)
    {
        var start = new ProcessStartInfo(program, [.. arguments, "--server", gateway.ToString(), "--name", name, .. more]);
        start.Environment["SPOTTER__WORKER__TOKEN"] = token;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return new EngineProcess(start);
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (log)
            log.AppendLine(line);
    }
}
