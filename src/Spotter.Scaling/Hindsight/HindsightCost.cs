namespace Spotter.Scaling.Hindsight;

/// <summary>
/// What plans would have cost over the gaps that a level has had, in worker-seconds, and which would have cost least.
/// After a gap the level's worker is there, is started late, or is done without: the last if that would have cost
/// so much less that the first hardly made a difference.
/// </summary>
internal sealed class HindsightCost
{
    /// <summary>Gaps up to this share of the boot time are too short to act on.</summary>
    public const double Floor = 0.25;

    // One more gap, that never ends: the past is no promise.
    private const double Doubt = 1;

    // The workers that remain are fewer in practice than in the shadow, and a backlog makes for launches.
    private const double Without = 20;

    private const int LeastGapsAhead = 3;
    private const double LeastSlack = 0.1;
    private const double LongestLinger = 3600;

    private readonly IReadOnlyList<Gap> history;
    private readonly double[] lengths;
    private readonly LevelCosts costs;
    private readonly double floor;
    private readonly double restart;

    /// <summary>Prepares to judge plans for a level with these gaps.</summary>
    public HindsightCost(IReadOnlyList<Gap> history, LevelCosts costs)
    {
        this.history = history;
        this.costs = costs;
        lengths = [.. history.Select(gap => gap.Seconds).Where(seconds => seconds > 0).Order()];
        floor = Floor * costs.Boot;
        restart = costs.Boot + costs.Cold;
    }

    /// <summary>The plan that would have cost least.</summary>
    public CapacityPlan Best()
    {
        var best = new CapacityPlan(0, null, null);
        var least = Of(best);
        Try(new(floor, null, null));
        foreach (var length in lengths)
        {
            if (length <= LongestLinger)
                Try(new(length, null, null));
        }

        // The gaps from the i-th on are taken for one cluster, to be ready for when it begins. The fewer they are,
        // the further the next one may lie outside.
        for (var i = 0; i + LeastGapsAhead <= lengths.Length; i++)
        {
            var range = lengths[^1] - lengths[i];
            var slack = Math.Max(LeastSlack, 1.0 / (lengths.Length - i - 1)) * range + costs.Tick;
            var (start, hold) = (lengths[i] - slack - costs.Boot, lengths[^1] + slack);
            foreach (var linger in (ReadOnlySpan<double>)[0, floor, i > 0 ? lengths[i - 1] : 0])
            {
                if (start > linger)
                    Try(new(linger, start, hold));
            }
        }
        return best;

        void Try(CapacityPlan plan)
        {
            if (Of(plan) is var cost && cost < least)
                (best, least) = (plan, cost);
        }
    }

    /// <summary>What a plan would have cost.</summary>
    public double Of(CapacityPlan plan)
    {
        var total = Doubt * (plan.Linger + (plan.Hold - plan.Start ?? 0) + restart);
        var on = true;
        foreach (var gap in history)
        {
            if (gap.Seconds > 0)
                total += OfGap(plan, gap, ref on);
            if (gap.ShortCount > 0)
                total += OfShort(plan, gap, ref on);
        }
        return total;
    }

    private double OfGap(CapacityPlan plan, Gap gap, ref bool on)
    {
        var seconds = gap.Seconds;
        if (on && seconds <= plan.Linger)
            return seconds;
        var lingered = on ? plan.Linger : 0;
        if (plan.IsAhead(seconds))
        {
            on = true;
            var (late, idle) = (Math.Max(0, plan.Start!.Value + costs.Boot - seconds), Math.Max(0, seconds - plan.Start.Value - costs.Boot));
            return lingered + costs.Boot + idle + costs.Cold * late / costs.Boot;
        }
        var inVain = seconds > plan.Hold ? plan.Hold.Value - plan.Start!.Value : 0;
        return lingered + inVain + Cheaper(restart, gap.Saved, out on);
    }

    private double OfShort(CapacityPlan plan, Gap gap, ref bool on)
    {
        if (plan.Linger < floor)
            return Cheaper(gap.ShortCount * restart, gap.ShortSaved, out on);
        return on ? gap.ShortSeconds : Cheaper(restart + gap.ShortSeconds, gap.ShortSaved, out on);
    }

    private double Cheaper(double with, double saved, out bool on)
    {
        var without = costs.IsFirst ? double.PositiveInfinity : Without * costs.Price * saved;
        on = with <= without;
        return Math.Min(with, without);
    }
}

/// <summary>What it takes to judge a level's plans.</summary>
/// <param name="Boot">What a worker takes to join, in seconds.</param>
/// <param name="Cold">What finding the level cold costs in waiting, in worker-seconds.</param>
/// <param name="Price">What a second of a job's waiting is worth, in worker-seconds.</param>
/// <param name="Tick">Time between two looks, in seconds.</param>
/// <param name="IsFirst">True of level 1, which can't be done without.</param>
internal readonly record struct LevelCosts(double Boot, double Cold, double Price, double Tick, bool IsFirst);
