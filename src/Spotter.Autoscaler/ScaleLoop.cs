using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Core.Scaling;

namespace Spotter.Autoscaler;

/// <summary>
/// Looks at backlog and fleet every tick, asks the policy, and does what it says. A job that arrives while there is
/// no worker is looked at at once.
/// </summary>
/// <param name="store">Where the backlog is counted.</param>
/// <param name="fleet">The workers.</param>
/// <param name="policy">The rule.</param>
/// <param name="decisions">Where decisions are noted.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told of changes, and of what can't be seen.</param>
/// <param name="serves">
/// Says whether the fleet's workers take from a queue: no number of them shortens the others. Null when they take from all.
/// </param>
public sealed partial class ScaleLoop(
    IJobStore store, IFleet fleet, ScalePolicy policy, DecisionLog decisions, TimeProvider time, ILogger<ScaleLoop> log,
    Func<string, bool>? serves = null)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly long start = time.GetTimestamp();
    private volatile bool empty = true;

    /// <summary>Runs until cancelled; a failing store or fleet holds the fleet where it is.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var watching = WatchAsync(cancel);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await StepAsync(cancel);
                await SleepAsync(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                // Whatever it was: without this loop nobody would start a worker again.
                LogFailed(failed);
                await PauseAsync(cancel);
            }
        }
        await watching;
    }

    /// <summary>One look and what follows from it.</summary>
    internal async Task<ScaleDecision> StepAsync(CancellationToken cancel)
    {
        var counts = await CountAsync(cancel);
        var workers = await fleet.ListAsync(cancel);
        var seen = new ScaleObservation
        {
            Time = time.GetElapsedTime(start),
            Queued = counts?.Queued,
            Running = counts?.Running,
            Workers = workers,
        };
        var decision = policy.Decide(seen);
        var news = decisions.Add(time.GetUtcNow(), decision);

        var launch = decision.Launch;
        foreach (var worker in decision.CancelDrain)
        {
            if (!await fleet.CancelDrainAsync(worker, cancel))
                launch++;
        }
        if (launch > 0)
            await fleet.LaunchAsync(launch, cancel);
        foreach (var worker in decision.Drain)
            await fleet.DrainAsync(worker, cancel);
        if (news && (launch > 0 || decision.Drain.Count > 0))
            LogDecision(decision.Target, decision.Reason);

        empty = launch == 0 && workers.All(w => w.State == WorkerState.Draining);
        return decision;
    }

    private async Task SleepAsync(CancellationToken cancel)
    {
        using var tick = new CancellationTokenSource(Tick, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(tick.Token, cancel);
        try
        {
            await wake.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // Nothing happened for a tick.
        }
    }

    private async Task PauseAsync(CancellationToken cancel)
    {
        try
        {
            await Task.Delay(Tick, time, cancel);
        }
        catch (OperationCanceledException)
        {
            // The end; the loop sees it.
        }
    }

    private async Task<(int Queued, int Running)?> CountAsync(CancellationToken cancel)
    {
        try
        {
            // First what waits: a job that begins in between is seen twice, not overlooked.
            var waiting = serves is null ? null : await store.BacklogAsync(cancel);
            var counts = await store.CountAsync(null, cancel);
            var queued = waiting?.Where(b => serves!(b.Queue)).Sum(b => b.Queued + b.InternalQueued) ?? counts.Queued + counts.InternalQueued;
            return ((int)Math.Min(queued, int.MaxValue), (int)Math.Min(counts.Running + counts.InternalRunning, int.MaxValue));
        }
        catch (SpotterException unknown)
        {
            LogFailed(unknown);
            return null;
        }
    }

    private async Task WatchAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var _ in store.ChangesAsync(cancel))
            {
                if (empty)
                    wake.Writer.TryWrite(true);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end.
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // The ticks go on; only the first job after a pause waits a little longer.
            LogFailed(failed);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Scaling to {Target}: {Reason}")]
    private partial void LogDecision(int target, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scaling can't see the service; the fleet stays as it is")]
    private partial void LogFailed(Exception exception);
}
