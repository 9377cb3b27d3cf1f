using System.Diagnostics;
using System.Text.Json;

namespace Spotter.EndToEnd.Watch;

/// <summary>A running <c>spotter watch</c>.</summary>
internal sealed class WatchProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly List<string> output = [];
    private readonly List<string> errors = [];

    private WatchProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public IReadOnlyList<string> Output => Copy(output);

    public IReadOnlyList<string> Errors => Copy(errors);

    /// <summary>The results of <c>--json</c>.</summary>
    public IReadOnlyList<JsonElement> Results => [.. Output.Select(line => JsonDocument.Parse(line).RootElement)];

    public static WatchProcess Start(Uri service, params IEnumerable<string> arguments) => StartWith(new Dictionary<string, string>(StringComparer.Ordinal), service, arguments);

    public static WatchProcess StartWith(IReadOnlyDictionary<string, string> environment, Uri service, params IEnumerable<string> arguments)
    {
        var started = new WatchProcess(new Process { StartInfo = SpotterProgram.StartInfo(["watch", .. arguments, "--url", service.ToString()], environment) });
        started.process.OutputDataReceived += (_, line) => Add(started.output, line.Data);
        started.process.ErrorDataReceived += (_, line) => Add(started.errors, line.Data);
        started.process.Start();
        started.process.StandardInput.Close();
        started.process.BeginOutputReadLine();
        started.process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Waits for a result that is as it should be.</summary>
    public async Task<JsonElement> SeeAsync(string what, Func<JsonElement, bool> right)
    {
        await SeeAsync(what, () => Results.Any(right));
        return Results.First(right);
    }

    /// <summary>Waits for a line on standard error.</summary>
    public Task HearAsync(string words) => SeeAsync($"'{words}' is said", () => Errors.Any(line => line.Contains(words, StringComparison.Ordinal)));

    /// <summary>Waits until so many results are there.</summary>
    public Task CountAsync(int results) => SeeAsync($"{results} results", () => Output.Count >= results);

    /// <summary>Waits until something is so; what it has said stands in the failure.</summary>
    public async Task SeeAsync(string what, Func<bool> so)
    {
        try
        {
            await Eventually.BeAsync(what, so, Patience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\nIt printed:\n{string.Join('\n', Output)}\nand said:\n{string.Join('\n', Errors)}", late);
        }
    }

    /// <summary>Waits for its end; the exit status.</summary>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        await process.WaitForExitAsync().WaitAsync(within ?? Patience);
        return process.ExitCode;
    }

    /// <summary>SIGTERM, and waits for its end; the exit status.</summary>
    public Task<int> StopAsync(TimeSpan within)
    {
        Processes.Signal(Id, Processes.Terminate);
        return ExitAsync(within);
    }

    /// <summary>SIGKILL.</summary>
    public Task KillAsync()
    {
        Processes.Signal(Id, Processes.Kill);
        return ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.Dispose();
    }

    private static void Add(List<string> lines, string? line)
    {
        if (line is null)
            return;
        lock (lines)
            lines.Add(line);
    }

    private static IReadOnlyList<string> Copy(List<string> lines)
    {
        lock (lines)
            return [.. lines];
    }
}
