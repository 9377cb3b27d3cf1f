using Spotter.Vision;

namespace Spotter.Cli.Evaluate;

/// <summary>An object that a model says is in a picture.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Box">Where it is, in pixels.</param>
internal readonly record struct Found(string Label, Box Box);

/// <summary>How far two models agree about one label, or about all.</summary>
/// <param name="Label">The label; null for all.</param>
/// <param name="Both">Objects that both find.</param>
/// <param name="OnlyFirst">Objects that only the first finds.</param>
/// <param name="OnlySecond">Objects that only the second finds.</param>
/// <param name="Overlap">Mean overlap of the boxes of what both find, 0.5 to 1; null without any.</param>
internal sealed record Agreement(string? Label, int Both, int OnlyFirst, int OnlySecond, double? Overlap)
{
    /// <summary>The share of all objects that both find; null without any.</summary>
    public double? Share => Both + OnlyFirst + OnlySecond is > 0 and var all ? Math.Round((double)Both / all, 4) : null;
}

/// <summary>A picture about which two models differ.</summary>
/// <param name="File">The picture.</param>
/// <param name="OnlyFirst">Objects that only the first finds.</param>
/// <param name="OnlySecond">Objects that only the second finds.</param>
internal sealed record DifferentPicture(string File, int OnlyFirst, int OnlySecond);

/// <summary>
/// What of two models' findings is the same: boxes of one label, in any case of letters, that overlap at least by a half. Those that
/// overlap most are paired first, each box once, so it is the same whichever model is the first.
/// </summary>
internal sealed class Comparison
{
    private const double Least = 0.5;

    private readonly SortedDictionary<string, Tally> tallies = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<DifferentPicture> different = [];

    /// <summary>Adds a picture.</summary>
    /// <param name="file">Its file.</param>
    /// <param name="first">What the first model finds.</param>
    /// <param name="second">What the second one finds.</param>
    public void Add(string file, IReadOnlyList<Found> first, IReadOnlyList<Found> second)
    {
        int onlyFirst = 0, onlySecond = 0;
        foreach (var label in first.Concat(second).Select(f => f.Label).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var (mine, others) = (BoxesOf(first, label), BoxesOf(second, label));
            var pairs = Pair(mine, others);
            if (!tallies.TryGetValue(label, out var tally))
                tallies.Add(label, tally = new Tally());
            tally.Overlaps.AddRange(pairs);
            tally.OnlyFirst += mine.Count - pairs.Count;
            tally.OnlySecond += others.Count - pairs.Count;
            onlyFirst += mine.Count - pairs.Count;
            onlySecond += others.Count - pairs.Count;
        }
        if (onlyFirst + onlySecond > 0)
            different.Add(new(file, onlyFirst, onlySecond));
    }

    /// <summary>A row for each label.</summary>
    public IReadOnlyList<Agreement> Labels => [.. tallies.Select(t => RowOf(t.Key, [t.Value]))];

    /// <summary>The sum of them.</summary>
    public Agreement All => RowOf(null, [.. tallies.Values]);

    /// <summary>The pictures about which they differ, the most different first.</summary>
    public IReadOnlyList<DifferentPicture> Different => [.. different.OrderByDescending(d => d.OnlyFirst + d.OnlySecond)];

    private static List<Box> BoxesOf(IEnumerable<Found> all, string label) => [.. all.Where(f => string.Equals(f.Label, label, StringComparison.OrdinalIgnoreCase)).Select(f => f.Box)];

    private static List<double> Pair(List<Box> first, List<Box> second)
    {
        var near = from a in Enumerable.Range(0, first.Count)
                   from b in Enumerable.Range(0, second.Count)
                   let overlap = Evaluation.Overlap(first[a], second[b])
                   where overlap >= Least
                   orderby overlap descending
                   select (a, b, overlap);
        var (takenFirst, takenSecond) = (new bool[first.Count], new bool[second.Count]);
        List<double> pairs = [];
        foreach (var (a, b, overlap) in near)
        {
            if (takenFirst[a] || takenSecond[b])
                continue;
            takenFirst[a] = takenSecond[b] = true;
            pairs.Add(overlap);
        }
        return pairs;
    }

    private static Agreement RowOf(string? label, IReadOnlyList<Tally> tallies)
    {
        var overlaps = tallies.SelectMany(t => t.Overlaps).ToList();
        return new(label, overlaps.Count, tallies.Sum(t => t.OnlyFirst), tallies.Sum(t => t.OnlySecond), overlaps.Count == 0 ? null : Math.Round(overlaps.Average(), 4));
    }

    private sealed class Tally
    {
        public List<double> Overlaps { get; } = [];

        public int OnlyFirst { get; set; }

        public int OnlySecond { get; set; }
    }
}
