namespace Spotter.Scaling.Hindsight;

/// <summary>
/// Level k is in demand while at least k workers would have work if no job ever waited. A level out of demand is
/// what a worker that could be let go stands for.
/// </summary>
/// <param name="k">Which level, from 1.</param>
/// <param name="penalty">The waiting that finding it cold is thought to cause, in job-seconds.</param>
internal sealed class Level(int k, double penalty)
{
    private const double PenaltyWeight = 0.3;

    private double penalty = penalty;
    private int suffered;
    private bool stale = true;
    private double savedBefore;

    /// <summary>The gaps in its demand.</summary>
    public GapHistory History { get; } = new();

    /// <summary>When it last fell out of demand, in seconds; negative infinity before that.</summary>
    public double Fell { get; private set; } = double.NegativeInfinity;

    /// <summary>What to do until it is in demand again.</summary>
    public CapacityPlan Plan { get; private set; }

    /// <summary>It is in demand again.</summary>
    /// <param name="now">In seconds.</param>
    /// <param name="boot">What a worker takes to join, in seconds.</param>
    /// <param name="saved">The waiting that its worker would have saved so far, in job-seconds.</param>
    public void Rise(double now, double boot, double saved)
    {
        savedBefore = saved;
        if (double.IsInfinity(Fell))
            return;
        History.Note(now - Fell, HindsightCost.Floor * boot);
        stale = true;
    }

    /// <summary>It is out of demand.</summary>
    /// <param name="now">In seconds.</param>
    /// <param name="saved">The waiting that its worker would have saved so far, in job-seconds.</param>
    /// <param name="terms">Boot time, price and tick.</param>
    public void Fall(double now, double saved, Terms terms)
    {
        Fell = now;
        History.Close(saved - savedBefore);
        if (!stale)
            return;
        Plan = new HindsightCost(History.Gaps, new(terms.Boot, terms.Price * penalty, terms.Price, terms.Tick, k == 1)).Best();
        stale = false;
    }

    /// <summary>Finding it cold caused this much waiting, in job-seconds.</summary>
    public void Suffer(double waited)
    {
        suffered++;
        penalty += Math.Max(PenaltyWeight, 1.0 / (1 + suffered)) * (waited - penalty);
        stale = true;
    }

    /// <summary>What it has learned.</summary>
    /// <param name="now">In seconds.</param>
    public LevelMemory Save(double now) =>
        new(History.Gaps, penalty, suffered, double.IsInfinity(Fell) ? null : now - Fell);

    /// <summary>Takes up what another run has learned, as of time 0.</summary>
    public void Restore(LevelMemory memory, Terms terms)
    {
        History.Restore(memory.Gaps);
        (penalty, suffered, stale) = (memory.Penalty, memory.Suffered, true);
        if (memory.FellAgo is { } ago)
            Fall(-ago, savedBefore, terms);
    }
}

/// <summary>What holds for all levels alike.</summary>
/// <param name="Boot">What a worker takes to join, in seconds.</param>
/// <param name="Price">What a second of a job's waiting is worth, in worker-seconds.</param>
/// <param name="Tick">Time between two looks, in seconds.</param>
internal readonly record struct Terms(double Boot, double Price, double Tick);
