namespace Spotter.Core.Scaling.Hindsight;

/// <summary>The arrivals of the recent past. Between two observations they are taken to have been spread evenly.</summary>
internal sealed class ArrivalLog
{
    private readonly List<Slice> slices = [];
    private int first;
    private double until;
    private long total;
    private bool begun;

    /// <summary>Notes how many jobs there have been by now; those before the first observation count as of that moment.</summary>
    /// <param name="now">Seconds.</param>
    /// <param name="arrived">Arrivals since the start.</param>
    public void Note(double now, long arrived)
    {
        var from = begun ? until : now;
        if (arrived > total)
            slices.Add(new(from, now, arrived - total));
        (begun, until, total) = (true, now, Math.Max(total, arrived));
    }

    /// <summary>Forgets what was over before <paramref name="time"/>.</summary>
    public void Forget(double time)
    {
        while (first < slices.Count && slices[first].Until < time)
            first++;
        if (first > 1024 && first > slices.Count / 2)
        {
            slices.RemoveRange(0, first);
            first = 0;
        }
    }

    /// <summary>Arrivals since <paramref name="time"/>; a slice that it cuts counts by its share.</summary>
    public double Since(double time)
    {
        var sum = 0.0;
        for (var i = slices.Count - 1; i >= first && slices[i].Until > time; i--)
            sum += slices[i].Share(time, double.PositiveInfinity);
        return sum;
    }

    /// <summary>
    /// Arrivals per second: the median of <paramref name="bins"/> bins that together span <paramref name="span"/>
    /// seconds, so that a lone burst is not taken for a trend.
    /// </summary>
    public double MedianRate(double now, double span, int bins)
    {
        var width = Math.Max(1, span / bins);
        Span<double> counts = stackalloc double[bins];
        counts.Clear();
        for (var i = slices.Count - 1; i >= first && slices[i].Until > now - bins * width; i--)
        {
            for (var b = 0; b < bins; b++)
                counts[b] += slices[i].Share(now - (b + 1) * width, now - b * width);
        }
        counts.Sort();
        return (counts[(bins - 1) / 2] + counts[bins / 2]) / 2 / width;
    }

    private readonly record struct Slice(double From, double Until, long Count)
    {
        /// <summary>How many of them came after <paramref name="start"/> and by <paramref name="end"/>.</summary>
        public double Share(double start, double end)
        {
            if (Until <= From)
                return Until > start && Until <= end ? Count : 0;
            var covered = Math.Min(Until, end) - Math.Max(From, start);
            return covered > 0 ? Count * covered / (Until - From) : 0;
        }
    }
}
