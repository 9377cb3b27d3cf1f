using Spotter.Scaling.Publishing;

namespace Spotter.Scaling.Reactive;

/// <summary>
/// Target tracking on the waiting jobs per worker, with a step from zero: by itself the metric has no value without a
/// worker, and a fleet that may be empty would never start.
/// </summary>
public sealed class BacklogPerInstancePolicy(ScaleSettings settings, TargetTrackingRule? rule = null) : ScalePolicy
{
    /// <summary>What the metric is said to be when jobs wait and there is no worker.</summary>
    public const double WithoutWorkers = 99;

    private readonly TrackedFleet tracked = new(settings, rule ?? new());

    /// <summary>Waiting jobs per worker: 0 without jobs, <see cref="WithoutWorkers"/> with jobs but no worker.</summary>
    /// <param name="queued">Jobs waiting; running ones don't count.</param>
    /// <param name="workers">Workers wanted at present.</param>
    public static double Metric(int queued, int workers) => BacklogMetrics.BacklogPerInstance(queued, workers, WithoutWorkers);

    /// <inheritdoc/>
    public override ScaleDecision Decide(ScaleObservation seen)
    {
        var fleet = FleetCount.Of(seen.Workers);
        if (seen.Queued is not { } queued || seen.Running is not { } running)
            return new(fleet.Active, 0, [], [], $"backlog unknown: hold {fleet.Active}");
        // The constant would be averaged with real values, so tracking is told that there is no metric.
        return tracked.Decide(seen, fleet, queued, running, fleet.Active == 0 ? null : Metric(queued, fleet.Active));
    }
}
