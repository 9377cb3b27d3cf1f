using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// Arrivals as the store counts them, whichever gateway took the jobs in: what ever left a line and what still waits in it
/// is what ever came. A later attempt comes anew, since it is work anew.
/// </summary>
internal sealed class StoreArrivals
{
    private readonly Dictionary<(string Queue, JobPriority Priority), long> seen = [];
    private bool isFirst = true;

    /// <summary>Jobs that have come since the first look into queues that were served then.</summary>
    public long Total { get; private set; }

    /// <summary>Takes up how the lines stand; false when the store does not count what leaves them.</summary>
    public bool Note(IReadOnlyList<Backlog> lines, Func<string, bool>? serves)
    {
        if (lines.Any(line => line.Left is null))
            return false;
        foreach (var line in lines)
        {
            var key = (line.Queue, line.Priority);
            var ever = line.All + line.Left!.Value;
            var before = seen.GetValueOrDefault(key, isFirst ? ever : 0);
            if (serves is null || serves(line.Queue))
                Total += Math.Max(0, ever - before);
            seen[key] = ever;
        }
        isFirst = false;
        return true;
    }
}
