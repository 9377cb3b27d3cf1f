using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Spotter.EndToEnd.Docs;

/// <summary>
/// One shell in one folder, as a reader has it open: what one block exports the next one has. A command that fails ends it.
/// Disposing of it ends it and the services that were started in it.
/// </summary>
internal sealed class DocsTerminal : IAsyncDisposable
{
    private const string Done = "docs-block-done";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    // A refused request is a command that failed; curl alone only shows the answer.
    private const string Prelude = """
        set -e -u -o pipefail
        curl() { command curl --fail-with-body --silent --show-error "$@"; }
        mkfifo .docs/stdin
        """;

    private readonly string folder;
    private readonly Process shell;
    private readonly StringBuilder errors = new();
    private int scripts;

    private DocsTerminal(string folder, Process shell) => (this.folder, this.shell) = (folder, shell);

    /// <summary>Starts one.</summary>
    /// <param name="shellName"><c>bash</c> or <c>zsh</c>.</param>
    /// <param name="folder">Where the reader stands.</param>
    /// <param name="environment">What is set there, besides what this process has that isn't Spotter's.</param>
    public static async Task<DocsTerminal> OpenAsync(string shellName, string folder, IReadOnlyDictionary<string, string> environment)
    {
        Directory.CreateDirectory(Path.Combine(folder, ".docs"));
        var start = new ProcessStartInfo(shellName, shellName == "zsh" ? ["-f", "-s"] : ["--norc", "--noprofile", "-s"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("SPOTTER_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var terminal = new DocsTerminal(folder, Process.Start(start)!);
        terminal.shell.ErrorDataReceived += (_, line) => terminal.Hear(line.Data);
        terminal.shell.BeginErrorReadLine();
        await terminal.RunAsync(Prelude);
        return terminal;
    }

    /// <summary>Types commands, and returns what they print once all are done.</summary>
    /// <exception cref="DocsException">One has failed.</exception>
    public async Task<string> RunAsync(string commands)
    {
        // From a file, so that no command reads those after it.
        var script = string.Create(CultureInfo.InvariantCulture, $".docs/{++scripts}.sh");
        await File.WriteAllTextAsync(Path.Combine(folder, script), commands.TrimEnd('\n') + "\n");
        var printed = new StringBuilder();
        try
        {
            await shell.StandardInput.WriteAsync($". ./{script} </dev/null\nprintf '\\n%s\\n' {Done}\n");
            await shell.StandardInput.FlushAsync();
            using var patience = new CancellationTokenSource(Patience);
            while (await shell.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                if (line == Done)
                    return printed.ToString();
                printed.Append(line).Append('\n');
            }
            await shell.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new DocsException($"It did not end within {Patience.TotalSeconds:0} s; it printed:\n{printed}{Errors()}");
        }
        catch (IOException)
        {
            // The shell has ended before it could be told more.
        }
        throw new DocsException($"It failed; it printed:\n{printed}{Errors()}");
    }

    /// <summary>Starts a program that goes on, and returns its number and the file with what it prints.</summary>
    public async Task<(int Id, string Output)> StartAsync(string command)
    {
        var output = string.Create(CultureInfo.InvariantCulture, $".docs/service-{scripts}.log");
        await File.WriteAllTextAsync(Path.Combine(folder, output), "");
        // Both ends of the pipe are open, so its input never ends.
        var id = await RunAsync($"{command} <>.docs/stdin >{output} 2>&1 &\necho $!");
        return (int.Parse(id, CultureInfo.InvariantCulture), Path.Combine(folder, output));
    }

    /// <summary>True while a program that was started runs.</summary>
    public async Task<bool> RunsAsync(int id) =>
        (await RunAsync($"if kill -0 {id} 2>/dev/null; then echo yes; else echo no; fi")).Trim() == "yes";

    /// <summary>Ends a program as its reader would, and waits for it.</summary>
    public Task StopAsync(int id) => RunAsync($"kill -TERM {id} 2>/dev/null || true\nwait {id} || true");

    public async ValueTask DisposeAsync()
    {
        try
        {
            shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended with a command that failed, and reads no more.
        }
        if (!shell.WaitForExit(TimeSpan.FromSeconds(5)))
            shell.Kill(entireProcessTree: true);
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (errors)
            errors.AppendLine(line);
    }

    private string Errors()
    {
        lock (errors)
            return errors.ToString();
    }
}

/// <summary>The docs say something that doesn't hold.</summary>
public sealed class DocsException(string message) : Exception(message);
