using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.Overload;

/// <summary>What waited and ran at one moment.</summary>
/// <param name="Counts">The jobs by state.</param>
/// <param name="Queues">What waits, by queue.</param>
/// <param name="Overdue">Waiting jobs that are older than they should get and for which there are workers; at most a few hundred are counted.</param>
/// <param name="At">When, as a timestamp of the clock.</param>
internal sealed record BacklogReading(JobCounts Counts, IReadOnlyList<QueueBacklog> Queues, int Overdue, long At);

/// <summary>
/// Reads the backlog once a second, so that whoever comes is judged from memory: a refusal asks no store, which may be
/// what is slow.
/// </summary>
internal sealed class BacklogMeter(
    IJobStore store, UnservedQueues unserved, DrainRate drain, GatewaySettings settings, TimeProvider time, ILogger<BacklogMeter> log) : IHostedService, IDisposable
{
    private const int MostOverdue = 500;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // Older than this a reading says nothing any more: the store does not answer, and will say so itself.
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource ended = new();
    private Task reading = Task.CompletedTask;
    private volatile BacklogReading? latest;
    private long accepted;
    private long taken;
    private bool disposed;

    /// <summary>The newest reading; null when there is none, or none that still means something.</summary>
    public BacklogReading? Latest => latest is { } known && time.GetElapsedTime(known.At) < Stale ? known : null;

    /// <summary>The users' jobs that wait, with those that came and went since the reading; null when unknown.</summary>
    public long? Queued => Latest is { } known
        ? Math.Max(0, known.Counts.Queued + Interlocked.Read(ref accepted) - Interlocked.Read(ref taken))
        : null;

    /// <summary>So many jobs were accepted here.</summary>
    public void Accepted(int count) => Interlocked.Add(ref accepted, count);

    /// <summary>A worker took a job here.</summary>
    public void Taken() => Interlocked.Increment(ref taken);

    /// <summary>Looks now.</summary>
    /// <exception cref="SpotterException">The store does not answer.</exception>
    public async Task<BacklogReading> ReadAsync(CancellationToken cancel)
    {
        var (acceptedBefore, takenBefore) = (Interlocked.Read(ref accepted), Interlocked.Read(ref taken));
        var counts = await store.CountAsync(null, cancel);
        var queues = await store.BacklogAsync(cancel);
        var overdue = counts.OldestQueued is { } oldest && time.GetUtcNow() - oldest > settings.MaxQueueAge ? await OverdueAsync(cancel) : 0;
        drain.Read(counts.Succeeded + counts.Failed + counts.Dead + counts.Cancelled);
        var read = new BacklogReading(counts, queues, overdue, time.GetTimestamp());
        latest = read;
        // Those are in the counts now.
        Interlocked.Add(ref accepted, -acceptedBefore);
        Interlocked.Add(ref taken, -takenBefore);
        return read;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        reading = ReadAlwaysAsync(ended.Token);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await ended.CancelAsync();
        await reading;
    }

    public void Dispose()
    {
        // Twice: it is registered under two types.
        if (disposed)
            return;
        disposed = true;
        ended.Cancel();
        ended.Dispose();
    }

    /// <summary>Jobs for a model that nobody has wait for it as long as it takes; they keep nobody else out.</summary>
    private async Task<int> OverdueAsync(CancellationToken cancel) =>
        (await store.OverdueAsync(settings.MaxQueueAge, 0, MostOverdue, cancel)).Count(job => unserved.ReasonFor(job.Queue) is null);

    private async Task ReadAlwaysAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await ReadQuietlyAsync(cancel);
                await Task.Delay(Every, time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task ReadQuietlyAsync(CancellationToken cancel)
    {
        try
        {
            await ReadAsync(cancel);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            log.LogWarning(failed, "The backlog can't be read; trying again");
        }
    }
}
