namespace Spotter.Core.Scaling.Hindsight;

/// <summary>The recent gaps in the demand for one level, in seconds; gaps too short to act on are only counted.</summary>
internal sealed class GapHistory
{
    /// <summary>How many gaps are remembered.</summary>
    public const int Length = 24;

    private readonly Queue<double> gaps = new(Length);

    /// <summary>How many short gaps there have been of late, older ones counting for less.</summary>
    public double Short { get; private set; } = 1;

    /// <summary>The gaps that were long enough to act on, oldest first.</summary>
    public IReadOnlyCollection<double> Long => gaps;

    /// <summary>Notes a gap; true if it was long enough to be remembered.</summary>
    public bool Note(double gap, double floor)
    {
        if (gap <= floor)
        {
            Short++;
            return false;
        }
        if (gaps.Count == Length)
            gaps.Dequeue();
        gaps.Enqueue(gap);
        Short *= 1 - 1.0 / Length;
        return true;
    }

    /// <summary>Takes up remembered gaps.</summary>
    public void Restore(IEnumerable<double> remembered, double shortOnes)
    {
        gaps.Clear();
        foreach (var gap in remembered.TakeLast(Length))
            gaps.Enqueue(gap);
        Short = shortOnes;
    }
}
