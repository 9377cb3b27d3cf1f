using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Scaling.Policies;

/// <summary>
/// As many workers as the jobs that wait or run would keep busy; one more worker only for a full set of lanes
/// beyond the first, and none is let go before it has been idle for <see cref="ScaleSettings.Linger"/>.
/// </summary>
public sealed class BacklogPolicy(ScaleSettings settings) : ScalePolicy
{
    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        var draining = seen.Workers.Where(w => w.State == WorkerState.Draining).ToList();
        var active = seen.Workers.Where(w => w.State != WorkerState.Draining).ToList();

        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return new(active.Count, 0, [], [], $"backlog unknown: hold {active.Count}");

        var lanes = Math.Max(1, settings.Lanes);
        var demand = ((long)queued + running + lanes - 1) / lanes;
        var wanted = (int)Math.Clamp(demand, settings.Min, settings.Max);
        var formula = string.Create(CultureInfo.InvariantCulture,
            $"ceil(({queued} queued + {running} running) / {lanes} lanes) = {demand}, limits {settings.Min}..{settings.Max}");

        if (wanted > active.Count)
        {
            var back = draining.OrderBy(w => w.StateAge).Take(wanted - active.Count).Select(w => w.Id).ToList();
            return new(wanted, wanted - active.Count - back.Count, [], back, $"{formula}: grow {active.Count} -> {wanted}");
        }

        // Only the idle are let go, the longest idle first, so a drain never meets a job.
        var leave = active
            .Where(w => w.State == WorkerState.Idle && w.StateAge >= settings.Linger)
            .OrderByDescending(w => w.StateAge)
            .Take(active.Count - wanted)
            .Select(w => w.Id)
            .ToList();
        var target = active.Count - leave.Count;
        var reason = target < active.Count
            ? $"{formula}: shrink {active.Count} -> {target}, idle for {settings.Linger.TotalSeconds:0} s"
            : $"{formula}: keep {active.Count}";
        return new(target, 0, leave, [], reason);
    }
}
