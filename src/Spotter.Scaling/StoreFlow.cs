using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// Arrivals and services as the store counts them, whichever gateway took the jobs in or their results: what ever left a
/// line and what still waits in it is what ever came. A later attempt comes anew, since it is work anew.
/// </summary>
internal sealed class StoreFlow
{
    private readonly Dictionary<(string Queue, JobPriority Priority), long> seen = [];
    private readonly Dictionary<string, ServedJobs> seenServed = new(StringComparer.Ordinal);
    private bool isFirst = true;
    private bool isCounted = true;
    private long arrived;

    /// <summary>Jobs that have come since the first look into queues that were served then; null when the store does not count what leaves them.</summary>
    public long? Arrived => isCounted ? arrived : null;

    /// <summary>Jobs that were done since then, of such queues.</summary>
    public ServedJobs Served { get; private set; }

    /// <summary>Takes up what the store counts now.</summary>
    public void Note(StoreCounts counts, Func<string, bool>? serves)
    {
        isCounted = counts.Backlogs.All(line => line.Left is not null);
        foreach (var line in counts.Backlogs)
        {
            var key = (line.Queue, line.Priority);
            var ever = line.All + (line.Left ?? 0);
            if (serves is null || serves(line.Queue))
                arrived += Math.Max(0, ever - seen.GetValueOrDefault(key, isFirst ? ever : 0));
            seen[key] = ever;
        }
        foreach (var (queue, ever) in counts.Served)
        {
            if (serves is null || serves(queue))
                Served += ever - seenServed.GetValueOrDefault(queue, isFirst ? ever : default);
            seenServed[queue] = ever;
        }
        isFirst = false;
    }
}
