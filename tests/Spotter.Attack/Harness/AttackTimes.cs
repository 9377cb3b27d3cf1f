using System.Diagnostics;
using System.Globalization;

namespace Spotter.Attack.Harness;

/// <summary>How long answers took.</summary>
internal sealed class AttackTimes
{
    private readonly Lock gate = new();
    private readonly List<TimeSpan> times = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return times.Count;
        }
    }

    /// <summary>The time that so many of a hundred took at most; zero where there are none.</summary>
    public TimeSpan Percentile(int of)
    {
        lock (gate)
            return times.Count == 0 ? TimeSpan.Zero : times.Order().ElementAt((int)Math.Ceiling(times.Count * of / 100.0) - 1);
    }

    /// <summary>Asks, and notes how long the answer took.</summary>
    public async Task<T> TimeAsync<T>(Func<Task<T>> ask)
    {
        var begun = Stopwatch.GetTimestamp();
        var answer = await ask();
        var took = Stopwatch.GetElapsedTime(begun);
        lock (gate)
            times.Add(took);
        return answer;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Count} answers, median {Percentile(50).TotalMilliseconds:0} ms, p99 {Percentile(99).TotalMilliseconds:0} ms, worst {Percentile(100).TotalMilliseconds:0} ms");
}
