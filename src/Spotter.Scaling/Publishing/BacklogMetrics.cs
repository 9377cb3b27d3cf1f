using Spotter.Jobs;

namespace Spotter.Scaling.Publishing;

/// <summary>What a scaler outside Spotter needs to know, at one moment.</summary>
/// <param name="Queued">Jobs that wait and are due.</param>
/// <param name="Running">Jobs that run.</param>
/// <param name="OldestAge">How long the job that has waited longest does so; zero when none waits.</param>
/// <param name="Desired">Instances that there are to be.</param>
/// <param name="PerInstance">Waiting jobs for each of them.</param>
public sealed record BacklogMetrics(long Queued, long Running, TimeSpan OldestAge, int Desired, double PerInstance)
{
    /// <summary>Reads them from the store's counts.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="desired">Instances that there are to be.</param>
    /// <param name="whenEmpty">What <see cref="PerInstance"/> is while jobs wait and there is no instance; null for the backlog itself.</param>
    /// <param name="now">The time.</param>
    public static BacklogMetrics Of(StoreCounts counts, int desired, double? whenEmpty, DateTimeOffset now)
    {
        var queued = counts.Backlogs.Sum(b => Math.Max(0, b.All - b.Delayed));
        var oldest = counts.OldestQueued is { } since && since < now ? now - since : TimeSpan.Zero;
        return new(queued, counts.Backlogs.Sum(b => b.Running), oldest, desired, BacklogPerInstance(queued, desired, whenEmpty));
    }

    /// <summary>Waiting jobs per instance; 0 without jobs, and without an instance what stands for it.</summary>
    /// <param name="queued">Jobs that wait; running ones don't count.</param>
    /// <param name="instances">Instances that there are to be.</param>
    /// <param name="whenEmpty">What it is while jobs wait and there is no instance; null for the backlog itself, as one instance would have it.</param>
    public static double BacklogPerInstance(long queued, int instances, double? whenEmpty) =>
        queued == 0 ? 0 : instances > 0 ? (double)queued / instances : whenEmpty ?? queued;
}
