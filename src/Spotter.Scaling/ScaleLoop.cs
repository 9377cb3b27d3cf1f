using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// Looks at backlog and fleet every tick, asks the policy, and does what it says. A job that arrives while there is
/// no worker is looked at at once. What a policy has learned outlives the loop.
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
    // A store that hangs is as unknown as one that fails.
    private static readonly TimeSpan LongestCount = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);

    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly long start = time.GetTimestamp();
    private readonly LaunchLimiter limiter = new();
    private readonly StoreFlow flow = new();
    private volatile bool empty = true;
    private ServedJobs measured;
    private ServedJobs told; // by the policy
    private long arrived;
    private long arrivedElsewhere; // while this one stood by
    private long savedAt = time.GetTimestamp();
    private string? saved;
    private string? alarm;
    private bool blind;
    private bool failing;

    /// <summary>Time between two looks. Default: 1 s.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Takes boot times, and counts arrivals where the store does not. Told what jobs take. Default: one that nobody tells anything.</summary>
    public ScaleMeter Meter { get; init; } = new();

    /// <summary>The mean share of its processors that a worker uses, 0 to 1, or null while unknown. Default: unknown.</summary>
    public Func<double?> CpuLoad { get; init; } = () => null;

    /// <summary>Told how backlog and fleet stand at each look; null for nobody.</summary>
    public ScaleSeries? Series { get; init; }

    /// <summary>Where what the policy has learned is kept; null when it is forgotten.</summary>
    public IPolicyMemory? Memory { get; init; }

    /// <summary>Wakes it when a job comes while there is no worker; null when that waits for the next look.</summary>
    public ChangeFeed? Changes { get; init; }

    /// <summary>The pool's name, for the decisions; null where there is only one.</summary>
    public string? Pool { get; init; }

    /// <summary>Whether this controller is the one that scales; null when there can be no other.</summary>
    public ControllerTerm? Term { get; init; }

    /// <summary>Runs until cancelled; a failing store or fleet holds the fleet where it is.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Restore();
        using var watching = Changes?.Subscribe(change =>
        {
            if (empty && (change.Queue is not null || change.IsMissed))
                wake.Writer.TryWrite(true);
        });
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await StepAsync(cancel);
                failing = false;
                if (time.GetElapsedTime(savedAt) >= SaveEvery)
                    Save();
                await SleepAsync(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                // Whatever it was: without this loop nobody would start a worker again. Told once, as the next look comes soon.
                if (!failing)
                    LogFailed(failed);
                failing = true;
                await Task.Delay(Tick, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        // What was done since the last look is worth knowing at the next start.
        await CountAsync(CancellationToken.None);
        Save();
        if (Term is not null)
            await Term.ReleaseAsync(CancellationToken.None);
    }

    /// <summary>One look and what follows from it.</summary>
    internal async Task<ScaleDecision> StepAsync(CancellationToken cancel)
    {
        var role = Term is null ? ControllerRole.Active : await Term.RenewAsync(cancel);
        var seen = await LookAsync(role, cancel);
        var decision = role == ControllerRole.Active
            ? limiter.Apply(seen, policy.Decide(seen with { Arrived = seen.Arrived - arrivedElsewhere }), fleet.Health, flow.Served.Jobs)
            : StandBy(role, seen);
        // What jobs take is news for a policy that stood by; what came meanwhile would look like one burst.
        if (role == ControllerRole.Active)
            told = flow.Served;
        else if (role == ControllerRole.Standby)
            arrivedElsewhere = seen.Arrived;
        var workers = seen.Workers;
        try
        {
            decision = await ActAsync(decision, cancel);
        }
        catch (Exception failed) when (failed is not (OutOfMemoryException or OperationCanceledException))
        {
            Note(seen, decision with { Clamp = "the fleet failed", Reason = $"{decision.Reason}; the fleet failed: {failed.Message}" });
            throw;
        }
        Note(seen, decision);
        empty = role == ControllerRole.Active && decision.Launch == 0 && workers.All(w => w.State == WorkerState.Draining);
        return decision;
    }

    private async Task<ScaleObservation> LookAsync(ControllerRole role, CancellationToken cancel)
    {
        // First what has come, then what waits: a job that comes in between is new at the next look, and missing at none.
        var total = Meter.TotalArrived;
        var counts = await CountAsync(cancel);
        var workers = await fleet.TendAsync(cancel, role);
        return new ScaleObservation
        {
            Time = time.GetElapsedTime(start),
            Queued = counts?.Queued,
            Running = counts?.Running,
            Arrived = flow.Arrived ?? total,
            Workers = workers,
            Served = flow.Served - told,
            BootedSeconds = Meter.TakeBooted(),
            CpuLoad = CpuLoad(),
        };
    }

    /// <summary>
    /// Starts nobody. Once it is known that another controller scales the pool, the workers of this one go: it starts as many
    /// as it takes.
    /// </summary>
    private ScaleDecision StandBy(ControllerRole role, ScaleObservation seen)
    {
        var staying = seen.Workers.Where(w => w.State != WorkerState.Draining).Select(w => w.Id).ToList();
        if (role == ControllerRole.Unknown)
            return new ScaleDecision(staying.Count, 0, [], [], "the store does not say who scales; the fleet stays as it is");
        // Workers that are shared are the other one's as well.
        List<string> own = fleet.IsShared ? [] : [.. staying.Intersect(fleet.Launched, StringComparer.Ordinal)];
        return new ScaleDecision(0, 0, own, [], $"gateway {Term!.Other} scales this pool; this one stands by");
    }

    /// <summary>Does what was decided; the decision as it could be done.</summary>
    private async Task<ScaleDecision> ActAsync(ScaleDecision decision, CancellationToken cancel)
    {
        var launch = decision.Launch;
        List<string> back = [];
        foreach (var worker in decision.CancelDrain)
        {
            if (fleet.CancelDrain(worker))
                back.Add(worker);
            else
                launch++;
        }
        var launched = launch > 0 ? await fleet.LaunchAsync(launch, cancel) : 0;
        foreach (var worker in decision.Drain)
            await fleet.DrainAsync(worker, cancel);
        if (launched == launch)
            return decision with { Launch = launched, CancelDrain = back };
        var why = $"{launch - launched} to be launched later, as others ended too soon";
        return decision with { Launch = launched, CancelDrain = back, Clamp = why, Reason = $"{decision.Reason}; {why}" };
    }

    private void Note(ScaleObservation seen, ScaleDecision decision)
    {
        var now = time.GetUtcNow();
        decision = decision with { Pool = Pool };
        int In(WorkerState state) => seen.Workers.Count(w => w.State == state);
        Series?.Add(new ScaleSample(
            now, seen.Queued, seen.Running, seen.Arrived - arrived, decision.Target,
            In(WorkerState.Idle) + In(WorkerState.Busy), In(WorkerState.Booting) + In(WorkerState.Loading), In(WorkerState.Draining)), Pool ?? "");
        arrived = seen.Arrived;

        if (decisions.Add(now, decision) && (decision.Launch > 0 || decision.Drain.Count > 0 || decision.CancelDrain.Count > 0))
            LogDecision(decision.Target, decision.Reason);
        if (limiter.Alarm is { } wrong && alarm is null)
            LogAlarm(wrong);
        alarm = limiter.Alarm;
    }

    private void Restore()
    {
        if (Memory?.Load() is not { } state)
            return;
        try
        {
            policy.Restore(state);
        }
        catch (SpotterException unreadable)
        {
            LogForgotten(unreadable);
        }
    }

    private void Save()
    {
        savedAt = time.GetTimestamp();
        if (Memory is null || policy.Save() is not { } state || state == saved)
            return;
        Memory.Save(state);
        saved = state;
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

    private async Task<(int Queued, int Running)?> CountAsync(CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(LongestCount, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            var counts = await store.CountAsync(either.Token);
            if (blind)
                LogSeesAgain();
            blind = false;
            flow.Note(counts, serves);
            Meter.Served(flow.Served - measured);
            measured = flow.Served;
            // Jobs that wait for a later moment need nobody until then.
            var own = counts.Backlogs.Where(b => serves is null || serves(b.Queue)).ToList();
            return ((int)Math.Min(own.Sum(b => Math.Max(0, b.All - b.Delayed)), int.MaxValue), (int)Math.Min(own.Sum(b => b.Running), int.MaxValue));
        }
        catch (Exception unknown) when (unknown is SpotterException || (unknown is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            if (!blind)
                LogFailed(unknown);
            blind = true;
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Scaling to {Target}: {Reason}")]
    private partial void LogDecision(int target, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Scaling is held back: {Alarm}")]
    private partial void LogAlarm(string alarm);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scaling has forgotten what it had learned")]
    private partial void LogForgotten(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Scaling sees the service again")]
    private partial void LogSeesAgain();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scaling can't see the service; the fleet stays as it is")]
    private partial void LogFailed(Exception exception);
}
