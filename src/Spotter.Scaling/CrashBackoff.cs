namespace Spotter.Scaling;

/// <summary>How long to wait before more workers are started: the longer, the more have died within the last minute.</summary>
internal sealed class CrashBackoff(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly Queue<long> deaths = new();
    private long quietUntil;

    /// <summary>True while no worker is to be started.</summary>
    public bool IsQuiet => time.GetTimestamp() < quietUntil;

    /// <summary>A worker died or could not be started. Each within a minute doubles the wait, but for the first few, which are free.</summary>
    public void Note(int free)
    {
        var now = time.GetTimestamp();
        while (deaths.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) > Window)
            deaths.Dequeue();
        deaths.Enqueue(now);
        if (deaths.Count <= free)
            return;
        var wait = First * Math.Pow(2, Math.Min(deaths.Count - free - 1, 20));
        if (wait > Longest)
            wait = Longest;
        quietUntil = now + (long)(wait.TotalSeconds * time.TimestampFrequency);
    }
}
