using Microsoft.Extensions.Logging;
using Spotter.Jobs;

namespace Spotter.Scaling.Publishing;

/// <summary>Sends the backlog to a sink again and again. What fails is told once, and tried again; it never ends the service.</summary>
/// <param name="store">Where the backlog is counted.</param>
/// <param name="workers">How many instances there are, for a sink that doesn't know.</param>
/// <param name="sink">Where the metrics go.</param>
/// <param name="every">Time between two of them.</param>
/// <param name="whenEmpty">As for <see cref="BacklogMetrics.BacklogPerInstance"/>.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told when sending begins to fail, and when it works again.</param>
/// <param name="term">Whether this gateway is the one that sends; null when there is no other.</param>
public sealed partial class MetricPublisher(
    IJobStore store, Func<int> workers, IMetricSink sink, TimeSpan every, double? whenEmpty, TimeProvider time, ILogger<MetricPublisher> log, ControllerTerm? term = null)
{
    // The role is a lease that has to be renewed, and what hangs is as good as failed.
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(30);

    private bool failing;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        long? sentAt = null;
        using var timer = new PeriodicTimer(every < RenewEvery ? every : RenewEvery, time);
        try
        {
            do
            {
                var mine = term is null || await term.RenewAsync(cancel) == ControllerRole.Active;
                if (!mine || (sentAt is { } at && time.GetElapsedTime(at) < every))
                    continue;
                sentAt = time.GetTimestamp();
                await TryAsync(cancel);
            }
            while (await timer.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The service ends.
        }
        if (term is not null)
            await term.ReleaseAsync(CancellationToken.None);
    }

    /// <summary>Sends once; false when that failed.</summary>
    internal async Task<bool> TryAsync(CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(LongestTry, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            // What can't be read is unknown and not zero, so nothing is sent then.
            var counts = await store.CountAsync(either.Token);
            var desired = await sink.DesiredAsync(either.Token) ?? workers();
            await sink.PublishAsync(BacklogMetrics.Of(counts, desired, whenEmpty, time.GetUtcNow()), either.Token);
            if (failing)
                LogAgain();
            failing = false;
            return true;
        }
        catch (Exception failed) when (failed is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            if (!failing)
                LogFailed(failed.Message);
            failing = true;
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The metrics can't be published; it is tried again: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The metrics are published again")]
    private partial void LogAgain();
}
