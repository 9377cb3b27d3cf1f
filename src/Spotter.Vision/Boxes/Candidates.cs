using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>A box in input pixels that passed the threshold.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Top edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Bottom edge.</param>
/// <param name="Score">How sure it is, 0 to 1.</param>
/// <param name="ClassId">Its class.</param>
/// <param name="Anchor">Which of the model's boxes it is.</param>
/// <param name="Angle">Radians by which it is turned around its middle, clockwise.</param>
internal record struct Candidate(float X1, float Y1, float X2, float Y2, float Score, int ClassId, int Anchor, float Angle = 0);

/// <summary>The candidates of one picture, in memory that is used again.</summary>
internal sealed class Candidates
{
    private Candidate[] items = new Candidate[256];

    public int Count { get; private set; }

    public Span<Candidate> Span => items.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(in Candidate candidate)
    {
        if (Count == items.Length)
            Array.Resize(ref items, Count * 2);
        items[Count++] = candidate;
    }

    /// <summary>Keeps those whose label is wanted, in any case of letters.</summary>
    public void RemoveOtherThan(IReadOnlyList<string> wanted, ModelMetadata model)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (wanted.Contains(model.Label(items[i].ClassId), StringComparer.OrdinalIgnoreCase))
                items[kept++] = items[i];
        }
        Count = kept;
    }

    /// <summary>Keeps those that are at least as confident as their label has to be.</summary>
    public void RemoveBelow(IReadOnlyDictionary<string, double> thresholds, double otherwise, ModelMetadata model)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            // As the model's own threshold is compared, so that either says the same of a score that meets it.
            if (items[i].Score >= (float)thresholds.GetValueOrDefault(model.Label(items[i].ClassId), otherwise))
                items[kept++] = items[i];
        }
        Count = kept;
    }

    /// <summary>Of candidates in order, the most confident first, keeps those that are more confident than that.</summary>
    public void KeepAbove(double score)
    {
        while (Count > 0 && items[Count - 1].Score <= score)
            Count--;
    }

    /// <summary>Keeps the first <paramref name="count"/>.</summary>
    public void Keep(int count) => Count = Math.Min(Count, count);
}
