namespace Spotter.Cli.Load;

/// <summary>Percentiles of some durations in milliseconds.</summary>
/// <param name="Count">How many there were.</param>
/// <param name="P50">Half of them took no longer.</param>
/// <param name="P90">Nine of ten took no longer.</param>
/// <param name="P95">19 of 20 took no longer.</param>
/// <param name="P99">99 of 100 took no longer.</param>
/// <param name="Max">The longest.</param>
internal sealed record Percentiles(int Count, double P50, double P90, double P95, double P99, double Max);

/// <summary>Durations, kept as they are: four bytes each, and no percentile is an estimate.</summary>
internal sealed class Latencies
{
    private readonly List<float> milliseconds = [];

    public void Add(TimeSpan duration) => milliseconds.Add((float)Math.Max(0, duration.TotalMilliseconds));

    /// <summary>By nearest rank: every percentile is a duration that occurred. Null when there was none.</summary>
    public Percentiles? Summarise()
    {
        if (milliseconds.Count == 0)
            return null;
        var sorted = milliseconds.ToArray();
        Array.Sort(sorted);
        double Rank(double share) => Math.Round(sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)], 2);
        return new(sorted.Length, Rank(0.5), Rank(0.9), Rank(0.95), Rank(0.99), Rank(1));
    }
}
