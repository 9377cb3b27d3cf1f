namespace Spotter.Scaling;

/// <summary>
/// Whether workers die too often: over the last hour, in steps of a minute. One worker-hour may have three deaths, and
/// every hundred jobs that went well one more, so that a few pictures that kill workers stop nobody.
/// </summary>
internal sealed class CrashWindow
{
    private const int Minutes = 60;
    private const double DeathsPerWorkerHour = 3;
    private const double JobsPerDeath = 100;

    private readonly Queue<Minute> minutes = new();
    private Minute open = new();
    private (TimeSpan Time, long Crashes, long Served)? last;

    /// <summary>Workers that died within the hour.</summary>
    public long Crashes => minutes.Sum(m => m.Crashes) + open.Crashes;

    /// <summary>Hours that workers were there within the hour.</summary>
    public double WorkerHours => (minutes.Sum(m => m.WorkerSeconds) + open.WorkerSeconds) / 3600;

    /// <summary>True while they die too often. A fleet that is young or small is given one worker-hour's deaths.</summary>
    public bool IsCrashLoop =>
        Crashes > (DeathsPerWorkerHour * Math.Max(1, WorkerHours)) + ((minutes.Sum(m => m.Served) + open.Served) / JobsPerDeath);

    /// <summary>Notes how it stands now.</summary>
    /// <param name="now">Time on a clock that never goes back.</param>
    /// <param name="crashes">Deaths since the start.</param>
    /// <param name="served">Jobs done since the start.</param>
    /// <param name="workers">Workers that there are.</param>
    public void Note(TimeSpan now, long crashes, long served, int workers)
    {
        var before = last ?? (now, crashes, served);
        last = (now, crashes, served);
        var number = (long)now.TotalMinutes;
        if (number != open.Number)
        {
            minutes.Enqueue(open);
            open = new Minute { Number = number };
        }
        while (minutes.TryPeek(out var oldest) && oldest.Number <= number - Minutes)
            minutes.Dequeue();
        open.Crashes += crashes - before.Crashes;
        open.Served += served - before.Served;
        open.WorkerSeconds += workers * (now - before.Time).TotalSeconds;
    }

    private sealed class Minute
    {
        public long Number { get; init; }

        public long Crashes { get; set; }

        public long Served { get; set; }

        public double WorkerSeconds { get; set; }
    }
}
