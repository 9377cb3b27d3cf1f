namespace Spotter.Scaling.Hindsight;

/// <summary>A gap in the demand for a level, with the demand that ended it and the short gaps after that, up to the next.</summary>
/// <param name="seconds">How long it was; 0 for the time before the first one.</param>
internal sealed class Gap(double seconds)
{
    /// <summary>How long it was; 0 for the time before the first one.</summary>
    public double Seconds { get; } = seconds;

    /// <summary>Waiting that the level's worker would have saved in the demand that ended it, in job-seconds.</summary>
    public double Saved { get; set; }

    /// <summary>How many gaps too short to act on came after it.</summary>
    public double ShortCount { get; set; }

    /// <summary>How long those were together.</summary>
    public double ShortSeconds { get; set; }

    /// <summary>Waiting that the level's worker would have saved after those, in job-seconds.</summary>
    public double ShortSaved { get; set; }
}

/// <summary>The recent gaps in the demand for one level. Those too short to act on are only summed up.</summary>
internal sealed class GapHistory
{
    private const int Length = 24;
    private const int MostShort = 200;

    private readonly List<Gap> gaps = [new(0)];
    private bool isShort;

    /// <summary>Oldest first; the first one is none, it only carries short ones.</summary>
    public IReadOnlyList<Gap> Gaps => gaps;

    /// <summary>A gap has ended.</summary>
    /// <param name="seconds">How long it was.</param>
    /// <param name="floor">Up to here, in seconds, it is a short one.</param>
    public void Note(double seconds, double floor)
    {
        isShort = seconds <= floor;
        if (!isShort)
        {
            if (gaps.Count > Length)
                gaps.RemoveAt(1);
            gaps.Add(new(seconds));
            return;
        }
        var run = gaps[^1];
        if (run.ShortCount >= MostShort)
        {
            // Halves what is old, so that what is new keeps its weight.
            run.ShortCount /= 2;
            run.ShortSeconds /= 2;
            run.ShortSaved /= 2;
        }
        run.ShortCount++;
        run.ShortSeconds += seconds;
    }

    /// <summary>The demand after the latest gap is over; its worker would have saved so much waiting, in job-seconds.</summary>
    public void Close(double saved)
    {
        if (isShort)
            gaps[^1].ShortSaved += saved;
        else
            gaps[^1].Saved += saved;
    }

    /// <summary>Takes up remembered gaps, the first of which is none.</summary>
    public void Restore(IReadOnlyList<Gap> remembered)
    {
        if (remembered.Count is 0 or > Length + 1)
            return;
        gaps.Clear();
        gaps.AddRange(remembered);
    }
}
