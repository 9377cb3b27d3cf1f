namespace Spotter.Scaling.Hindsight;

/// <summary>
/// From the moment that levels without a worker come into demand until nothing waits: the waiting in between is
/// theirs, shared by how long each was in demand.
/// </summary>
/// <param name="waitedBefore">All waiting so far, in job-seconds.</param>
internal sealed class ColdStart(double waitedBefore)
{
    private readonly SortedDictionary<int, double> missing = [];

    /// <summary>Level <paramref name="k"/> has come into demand without a worker.</summary>
    public void Miss(int k, double seconds) => missing[k] = missing.GetValueOrDefault(k) + seconds;

    /// <summary>Another look at it.</summary>
    /// <param name="demand">The highest level in demand.</param>
    /// <param name="seconds">Time between two looks.</param>
    public void Watch(int demand, double seconds)
    {
        foreach (var k in missing.Keys.Where(k => k <= demand).ToList())
            missing[k] += seconds;
    }

    /// <summary>Each missing level's share of the waiting, in job-seconds.</summary>
    public IEnumerable<(int Level, double Waited)> Shares(double waitedNow)
    {
        var sum = missing.Values.Sum();
        return missing.Select(m => (m.Key, (waitedNow - waitedBefore) * m.Value / sum));
    }
}
