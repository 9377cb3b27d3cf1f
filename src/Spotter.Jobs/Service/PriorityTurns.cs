namespace Spotter.Jobs;

/// <summary>
/// In which order the levels of priority are looked through, turn by turn: the highest first, but one turn of
/// <see cref="Cycle"/> begins with the lowest level and three begin with the middle one. So a flood of urgent jobs slows
/// the others down, and never stops them.
/// </summary>
public static class PriorityTurns
{
    /// <summary>After so many turns it begins anew.</summary>
    public const int Cycle = 16;

    private static readonly JobPriority[] Urgent = [JobPriority.High, JobPriority.Normal, JobPriority.Low];
    private static readonly JobPriority[] Middle = [JobPriority.Normal, JobPriority.High, JobPriority.Low];
    private static readonly JobPriority[] Lowest = [JobPriority.Low, JobPriority.Normal, JobPriority.High];

    /// <summary>The levels in the order of this turn, which counts the jobs given so far; always the same array for the same order.</summary>
    internal static JobPriority[] Order(long turn) => (turn % Cycle) switch
    {
        Cycle - 1 => Lowest,
        3 or 7 or 11 => Middle,
        _ => Urgent,
    };
}
