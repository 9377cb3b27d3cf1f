using System.Runtime.InteropServices;

namespace Spotter.Vision.Boxes;

/// <summary>A stretch of pixels in one row of a map.</summary>
/// <param name="Y">The row.</param>
/// <param name="From">Its first pixel.</param>
/// <param name="To">Its last pixel.</param>
internal readonly record struct MapRun(int Y, int From, int To);

/// <summary>
/// The connected regions of a map of probabilities, corners included: its rows are cut into runs, and runs that touch are joined. Takes time
/// and memory in proportion to the map, whatever is in it.
/// </summary>
internal static class MapRegions
{
    /// <summary>The runs of each region, from top to bottom; the largest regions first.</summary>
    /// <param name="map">The probabilities, row by row.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="above">A pixel belongs to a region when it is above this.</param>
    /// <param name="least">Regions that are not as wide and as high as this are left out.</param>
    /// <param name="most">So many regions are given at most.</param>
    public static List<List<MapRun>> Of(ReadOnlySpan<float> map, int width, float above, int least, int most)
    {
        if (width <= 0)
            return [];
        var runs = new List<MapRun>();
        var parents = new List<int>();
        var previous = (Start: 0, End: 0);
        for (var y = 0; (y + 1) * width <= map.Length; y++)
        {
            var start = runs.Count;
            AddRow(map.Slice(y * width, width), y, above, runs, parents);
            Join(runs, CollectionsMarshal.AsSpan(parents), previous, (start, runs.Count));
            previous = (start, runs.Count);
        }
        return Largest(runs, CollectionsMarshal.AsSpan(parents), least, most);
    }

    private static void AddRow(ReadOnlySpan<float> row, int y, float above, List<MapRun> runs, List<int> parents)
    {
        for (var x = 0; x < row.Length; x++)
        {
            if (!(row[x] > above))
                continue;
            var from = x;
            while (x + 1 < row.Length && row[x + 1] > above)
                x++;
            parents.Add(runs.Count);
            runs.Add(new MapRun(y, from, x));
        }
    }

    /// <summary>Joins the runs of two rows that touch, be it at a corner.</summary>
    private static void Join(List<MapRun> runs, Span<int> parents, (int Start, int End) upper, (int Start, int End) lower)
    {
        for (int above = upper.Start, below = lower.Start; above < upper.End && below < lower.End;)
        {
            if (runs[above].From <= runs[below].To + 1 && runs[below].From <= runs[above].To + 1)
                parents[Root(parents, below)] = Root(parents, above);
            if (runs[above].To < runs[below].To)
                above++;
            else
                below++;
        }
    }

    private static int Root(Span<int> parents, int run)
    {
        while (parents[run] != run)
            run = parents[run] = parents[parents[run]];
        return run;
    }

    private static List<List<MapRun>> Largest(List<MapRun> runs, Span<int> parents, int least, int most)
    {
        var sizes = new Dictionary<int, (int Left, int Right, int Top, int Bottom, long Pixels)>();
        for (var i = 0; i < runs.Count; i++)
        {
            var run = runs[i];
            ref var size = ref CollectionsMarshal.GetValueRefOrAddDefault(sizes, Root(parents, i), out var isKnown);
            if (!isKnown)
                size = (run.From, run.To, run.Y, run.Y, 0);
            size = (Math.Min(size.Left, run.From), Math.Max(size.Right, run.To), size.Top, run.Y, size.Pixels + run.To - run.From + 1);
        }
        var kept = sizes.Where(s => s.Value.Right - s.Value.Left + 1 >= least && s.Value.Bottom - s.Value.Top + 1 >= least)
            .OrderByDescending(s => s.Value.Pixels).ThenBy(s => s.Value.Top).ThenBy(s => s.Value.Left).Take(most).Select(s => s.Key).ToList();
        var regions = kept.ToDictionary(root => root, _ => new List<MapRun>());
        for (var i = 0; i < runs.Count; i++)
        {
            if (regions.TryGetValue(Root(parents, i), out var region))
                region.Add(runs[i]);
        }
        return [.. kept.Select(root => regions[root])];
    }
}
