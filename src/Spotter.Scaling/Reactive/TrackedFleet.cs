using System.Globalization;

namespace Spotter.Scaling.Reactive;

/// <summary>Samples a metric in its rhythm and turns what <see cref="TargetTracking"/> wants into a decision.</summary>
internal sealed class TrackedFleet(ScaleSettings settings, TargetTrackingRule rule)
{
    private readonly Rhythm rhythm = new(rule.Sampling, rule.Phase);
    private readonly TargetTracking tracking = new(rule);
    private string latest = "first sample to come";

    public ScaleDecision Decide(ScaleObservation seen, FleetCount fleet, int queued, int running, double? metric)
    {
        // Limits hold at once; only the metric has to be waited for.
        var wanted = fleet.Active;
        var sampled = rhythm.Due(seen.Time);
        if (sampled)
            wanted = tracking.Sample(seen.Time, queued, fleet.Active, metric);
        var target = Math.Clamp(wanted, settings.Min, settings.Max);
        if (!sampled && target == fleet.Active)
            return new(target, 0, [], [], latest);

        var keep = Choice.Keep(seen.Workers, target - fleet.Active);
        var leave = Choice.Blindly(seen.Workers, fleet.Active - target, seen.Time, bootingFirst: false);
        var clamp = wanted < settings.Min ? $"min {settings.Min}" : wanted > settings.Max ? $"max {settings.Max}" : null;
        var change = target == fleet.Active ? $"keep {target}" : $"{fleet.Active} -> {target}";
        latest = string.Create(CultureInfo.InvariantCulture, $"{tracking.Formula}{(clamp is null ? "" : $", {clamp}")}: {change}");
        return new(target, Math.Max(0, target - fleet.Active - keep.Count), leave, keep, latest)
        {
            Formula = tracking.Formula,
            Clamp = clamp,
            Inputs = new() { Queued = queued, Running = running, Ready = fleet.Ready, Booting = fleet.Booting },
        };
    }
}
