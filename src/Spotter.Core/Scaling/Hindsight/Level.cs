namespace Spotter.Core.Scaling.Hindsight;

/// <summary>
/// Level k is in demand while at least k workers would have work if no job ever waited. A level out of demand is
/// what a worker that could be let go stands for.
/// </summary>
internal sealed class Level
{
    private const double PenaltyWeight = 0.3;

    private bool stale = true;

    /// <summary>Creates a level that has never been in demand.</summary>
    /// <param name="penalty">The waiting that finding it cold is thought to cause, in job-seconds.</param>
    public Level(double penalty) => Penalty = penalty;

    /// <summary>The gaps in its demand.</summary>
    public GapHistory Gaps { get; } = new();

    /// <summary>The waiting that finding it cold causes, in job-seconds.</summary>
    public double Penalty { get; private set; }

    /// <summary>When it last fell out of demand, in seconds; negative infinity before that.</summary>
    public double Fell { get; private set; } = double.NegativeInfinity;

    /// <summary>What to do until it is in demand again.</summary>
    public LevelPlan Plan { get; private set; }

    /// <summary>It is in demand again.</summary>
    public void Rise(double now, double boot)
    {
        var gap = now - Fell;
        if (!double.IsInfinity(gap) && Gaps.Note(gap, HindsightCost.Floor * boot))
            stale = true;
    }

    /// <summary>It is out of demand.</summary>
    public void Fall(double now, double boot, double price, double tick)
    {
        Fell = now;
        if (!stale)
            return;
        Plan = new HindsightCost(Gaps, boot, price * Penalty, tick).Best();
        stale = false;
    }

    /// <summary>Finding it cold caused this much waiting, in job-seconds.</summary>
    public void Suffer(double waited)
    {
        Penalty += PenaltyWeight * (waited - Penalty);
        stale = true;
    }

    /// <summary>What it has learned.</summary>
    public LevelMemory Save(double now) =>
        new([.. Gaps.Long], Gaps.Short, Penalty, double.IsInfinity(Fell) ? null : now - Fell);

    /// <summary>Takes up what another run has learned, at time 0.</summary>
    public void Restore(LevelMemory memory, double boot, double price, double tick)
    {
        Gaps.Restore(memory.Gaps, memory.ShortGaps);
        Penalty = memory.Penalty;
        if (memory.FellAgo is { } ago)
            Fall(-ago, boot, price, tick);
    }
}
