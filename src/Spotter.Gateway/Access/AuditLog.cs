using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Spotter.Gateway.Access;

/// <summary>
/// Writes who did what into a file, a line of JSON each. Requests don't wait for it. A full file becomes <c>FILE.1</c>, and the one
/// of that name <c>FILE.2</c>, up to <see cref="Kept"/>.
/// </summary>
internal sealed partial class AuditLog(GatewaySettings settings, TimeProvider time, ILogger<AuditLog> log) : BackgroundService
{
    /// <summary>Full files that are kept.</summary>
    public const int Kept = 4;

    private const int MostWaiting = 10_000;

    private readonly Channel<byte[]> lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private long lost;

    /// <summary>From how many bytes on a file is full.</summary>
    internal long FileBytes { get; init; } = 16 << 20;

    /// <summary>Has a request noted when it has been answered; stands behind the choice of its call.</summary>
    public Task NoteAsync(HttpContext http, RequestDelegate next)
    {
        if (settings.AuditFile is not null && http.GetEndpoint() is RouteEndpoint call)
        {
            var id = http.Request.RouteValues.GetValueOrDefault("id") as string;
            http.Response.OnCompleted(() =>
            {
                if (AuditEntry.Of(http, call, id, time.GetUtcNow()) is { } entry)
                    Note(entry);
                return Task.CompletedTask;
            });
        }
        return next(http);
    }

    /// <summary>Has an entry written; drops it when too many wait for the disk.</summary>
    internal void Note(AuditEntry entry)
    {
        if (!lines.Writer.TryWrite(entry.Write()))
            Interlocked.Increment(ref lost);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The server has ended by now, so nothing more comes.
        lines.Writer.TryComplete();
        if (ExecuteTask is { } writing)
            await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.AuditFile is not { } file)
            return;
        var isSaid = false;
        while (await lines.Reader.WaitToReadAsync(CancellationToken.None))
        {
            try
            {
                await WriteAsync(file);
                isSaid = false;
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                // Said once, as it will fail with every request. What waits would be tried again without end.
                if (!isSaid)
                    LogFailed(file, failed.Message);
                isSaid = true;
                while (lines.Reader.TryRead(out _))
                    continue;
            }
            if (Interlocked.Exchange(ref lost, 0) is > 0 and var some)
                LogLost(some);
        }
    }

    private async Task WriteAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read);
        while (stream.Length < FileBytes && lines.Reader.TryRead(out var line))
            await stream.WriteAsync(line);
        await stream.FlushAsync();
        if (stream.Length < FileBytes)
            return;
        await stream.DisposeAsync();
        for (var n = Kept; n > 1; n--)
        {
            if (File.Exists($"{file}.{n - 1}"))
                File.Move($"{file}.{n - 1}", $"{file}.{n}", overwrite: true);
        }
        File.Move(file, $"{file}.1", overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit log {File} can't be written, so what is done meanwhile is not in it: {Detail}")]
    private partial void LogFailed(string file, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} lines are missing in the audit log: its disk is too slow")]
    private partial void LogLost(long count);
}
