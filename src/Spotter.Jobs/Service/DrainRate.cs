namespace Spotter.Jobs;

/// <summary>
/// How fast jobs end, from readings of how many have ended in all. Only the last <see cref="Window"/> counts, so the
/// rate follows workers that come and go. Safe to use from many threads.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class DrainRate(TimeProvider time)
{
    /// <summary>Nobody is sent away for longer than this.</summary>
    public const int LongestRetrySeconds = 300;

    /// <summary>How far back it looks.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    // From less than this a rate is chance.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    // What to say while nothing is known.
    private static readonly TimeSpan Unmeasured = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Queue<(long At, long Ended)> readings = new();
    private long ended;

    /// <summary>Jobs per second; null while nothing was measured, which is not zero.</summary>
    public double? PerSecond
    {
        get
        {
            lock (gate)
            {
                if (!readings.TryPeek(out var first))
                    return null;
                var seconds = time.GetElapsedTime(first.At).TotalSeconds;
                return seconds < Shortest.TotalSeconds ? null : (ended - first.Ended) / seconds;
            }
        }
    }

    /// <summary>Notes a reading.</summary>
    /// <param name="total">Jobs that have ended, ever (<see cref="JobCounts.Ended"/>).</param>
    public void Read(long total)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            ended = total;
            readings.Enqueue((now, ended));
            // The last one from before the window stays, so that the window is always full.
            while (readings.Count > 1 && time.GetElapsedTime(readings.ElementAt(1).At, now) >= Window)
                readings.Dequeue();
        }
    }

    /// <summary>How long it takes until so many jobs have ended, from one second to <see cref="LongestRetrySeconds"/>.</summary>
    public TimeSpan TimeFor(double jobs)
    {
        if (PerSecond is not { } rate)
            return Unmeasured;
        var seconds = rate > 0 ? jobs / rate : LongestRetrySeconds;
        return TimeSpan.FromSeconds(Math.Clamp(seconds, 1, LongestRetrySeconds));
    }
}
