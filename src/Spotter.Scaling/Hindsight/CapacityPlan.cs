namespace Spotter.Scaling.Hindsight;

/// <summary>What to do with a level that has fallen out of demand, in seconds from then.</summary>
/// <param name="Linger">Its worker is kept this long.</param>
/// <param name="Start">A worker is started again now, ahead of the demand; null: only once there is demand.</param>
/// <param name="Hold">A worker started ahead is kept until now; null like <paramref name="Start"/>.</param>
internal readonly record struct CapacityPlan(double Linger, double? Start, double? Hold)
{
    /// <summary>True while a worker is to be there ahead of the demand.</summary>
    public bool IsAhead(double gap) => Start <= gap && gap <= Hold;
}
