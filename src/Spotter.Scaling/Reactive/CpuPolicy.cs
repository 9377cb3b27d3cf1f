namespace Spotter.Scaling.Reactive;

/// <summary>
/// Target tracking on the processors' load in per cent: out after three minutes above the target, in after a quarter of an
/// hour below it. Sees no queue, but for the first worker: without one there is no load to measure.
/// </summary>
public sealed class CpuPolicy(ScaleSettings settings, TargetTrackingRule? rule = null) : ScalePolicy
{
    private readonly TrackedFleet tracked = new(settings, rule ?? Default);

    /// <summary>Half of the processors, measured every ten seconds and averaged over a minute.</summary>
    public static TargetTrackingRule Default { get; } = new() { Target = 50, Sampling = TimeSpan.FromSeconds(10) };

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        var fleet = FleetCount.Of(seen.Workers);
        // Booting machines have a load too, but not of jobs; with nobody ready there is nothing to go by.
        return seen.Queued is { } queued && seen.Running is { } running
            ? tracked.Decide(seen, fleet, queued, running, seen.CpuLoad * 100)
            : new(fleet.Active, 0, [], [], $"backlog unknown: hold {fleet.Active}");
    }
}
