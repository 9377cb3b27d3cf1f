using System.Collections.Concurrent;

namespace Spotter.Jobs;

/// <summary>
/// How long workers take to load each model, and how long one that loads it is waited for. Nobody knows beforehand: a model
/// of kilobytes may take a minute to be optimised. So the first load has much time, and later ones a multiple of what was seen.
/// </summary>
public sealed class LoadTimes
{
    private const double Factor = 10;
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan First = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(2);

    private readonly ConcurrentDictionary<string, (TimeSpan? Took, TimeSpan Patience)> known = new(StringComparer.Ordinal);

    /// <summary>A worker has loaded a model.</summary>
    public void Note(string model, TimeSpan took)
    {
        var patience = Math.Clamp(took.TotalSeconds * Factor, Shortest.TotalSeconds, Longest.TotalSeconds);
        known[model] = (took, TimeSpan.FromSeconds(patience));
    }

    /// <summary>A worker was ended because it loaded for too long. What takes that long once may do so again, so the next one has twice the time.</summary>
    public void NoteLate(string model) =>
        known.AddOrUpdate(model, _ => (null, First * 2), (_, was) => was with { Patience = was.Patience * 2 < Longest ? was.Patience * 2 : Longest });

    /// <summary>How long it took the last time; null while it was never seen.</summary>
    public TimeSpan? Of(string model) => known.TryGetValue(model, out var times) ? times.Took : null;

    /// <summary>How long one that loads the model is waited for.</summary>
    public TimeSpan PatienceFor(string model) => known.TryGetValue(model, out var times) ? times.Patience : First;
}
