using System.Diagnostics;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>A program that serves and writes <c>Running on ADDRESS</c> as soon as it listens. Disposing of it ends it.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string Ready = "Running on ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder log = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process) => this.process = process;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>What it has written.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="start">The program, its arguments and environment.</param>
    public static async Task<ServerProcess> StartAsync(ProcessStartInfo start)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError, start.UseShellExecute) = (true, true, true, false);
        var server = new ServerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        server.process.OutputDataReceived += (_, line) => server.Hear(line.Data);
        server.process.ErrorDataReceived += (_, line) => server.Hear(line.Data);
        server.process.Exited += (_, _) => server.listening.TrySetException(new InvalidOperationException("It ended before it listened."));
        server.process.Start();
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        try
        {
            server.Address = await server.listening.Task.WaitAsync(Patience);
            return server;
        }
        catch (Exception failed)
        {
            await server.DisposeAsync();
            throw new InvalidOperationException($"{start.FileName} did not start. {failed.Message} It said:\n{server.Log}", failed);
        }
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

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (log)
            log.AppendLine(line);
        if (line.IndexOf(Ready, StringComparison.Ordinal) is var at and >= 0)
            listening.TrySetResult(new Uri(line[(at + Ready.Length)..].Trim()));
    }
}
