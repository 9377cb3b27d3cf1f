namespace Spotter.Scaling.Hindsight;

/// <summary>The arrivals of the recent past. Between two observations they are taken to have been spread evenly.</summary>
internal sealed class ArrivalLog
{
    private readonly Queue<Slice> slices = new();

    /// <summary>Notes that <paramref name="count"/> jobs have arrived between two times, in seconds.</summary>
    public void Note(double from, double until, long count)
    {
        if (count > 0)
            slices.Enqueue(new(from, until, count));
    }

    /// <summary>Arrivals since <paramref name="time"/>; those before are forgotten.</summary>
    public double Since(double time)
    {
        while (slices.TryPeek(out var oldest) && oldest.Until <= time)
            slices.Dequeue();
        return slices.Sum(s => s.From >= time ? s.Count : s.Count * (s.Until - time) / (s.Until - s.From));
    }

    private readonly record struct Slice(double From, double Until, long Count);
}
