namespace Spotter.Core.Scaling.Hindsight;

/// <summary>What a plan would have cost over the gaps that a level has had, in worker-seconds, and which plan would have cost least.</summary>
internal sealed class HindsightCost
{
    /// <summary>Gaps up to this share of the boot time are too short to act on.</summary>
    public const double Floor = 0.25;

    // One gap that never ends: the past is no promise.
    private const double Doubt = 1;
    private const int LeastGapsToStartAhead = 4;
    private const double Slack = 0.1;
    private const double LongestLinger = 3600;

    private readonly double[] gaps;
    private readonly double shortGaps;
    private readonly double boot;
    private readonly double wait;
    private readonly double tick;

    /// <summary>Prepares to judge plans.</summary>
    /// <param name="history">The gaps.</param>
    /// <param name="boot">Boot time, in seconds.</param>
    /// <param name="wait">What finding the level cold costs in waiting, in worker-seconds.</param>
    /// <param name="tick">Time between two looks, in seconds.</param>
    public HindsightCost(GapHistory history, double boot, double wait, double tick)
    {
        gaps = [.. history.Long.Order()];
        shortGaps = history.Short;
        (this.boot, this.wait, this.tick) = (boot, wait, tick);
    }

    /// <summary>The plan that would have cost least.</summary>
    public LevelPlan Best()
    {
        var floor = Floor * boot;
        var best = new LevelPlan(0, null, null);
        var least = Of(best);
        foreach (var linger in gaps.Where(g => g <= LongestLinger).Prepend(floor))
            Try(new(linger, null, null));

        // The gaps from the i-th on are taken for one cluster, to be ready for when it begins.
        for (var i = 0; i + LeastGapsToStartAhead <= gaps.Length; i++)
        {
            var slack = Slack * (gaps[^1] - gaps[i]) + tick;
            var (start, hold) = (gaps[i] - slack - boot, gaps[^1] + slack);
            foreach (var linger in (ReadOnlySpan<double>)[0, floor, i > 0 ? gaps[i - 1] : 0])
            {
                if (start > linger)
                    Try(new(linger, start, hold));
            }
        }
        return best;

        void Try(LevelPlan plan)
        {
            if (Of(plan) is var cost && cost < least)
                (best, least) = (plan, cost);
        }
    }

    /// <summary>What a plan would have cost.</summary>
    public double Of(LevelPlan plan)
    {
        var total = shortGaps * OfGap(plan, Floor * boot / 2) + Doubt * OfGap(plan, double.PositiveInfinity);
        foreach (var gap in gaps)
            total += OfGap(plan, gap);
        return total;
    }

    private double OfGap(LevelPlan plan, double gap)
    {
        var (linger, start, hold) = (plan.Linger, plan.Start ?? double.PositiveInfinity, plan.Hold ?? double.PositiveInfinity);
        if (gap <= linger)
            return gap;
        if (double.IsPositiveInfinity(start) || gap < start)
            return linger + boot + wait;
        if (gap > hold)
            return linger + hold - start + boot + wait;
        var (late, idle) = (Math.Max(0, start + boot - gap), Math.Max(0, gap - start - boot));
        return linger + boot + idle + wait * late / boot;
    }
}
