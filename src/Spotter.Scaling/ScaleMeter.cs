namespace Spotter.Scaling;

/// <summary>
/// What happens between two ticks of the scale loop: jobs arrive and are done, workers boot. Safe to use from many
/// threads, and bounded when nobody looks.
/// </summary>
/// <param name="trace">Where arrivals are recorded; null when they are only counted.</param>
public sealed class ScaleMeter(IArrivalTrace? trace = null)
{
    private const int MostKept = 1000;

    private readonly Lock gate = new();
    private readonly Queue<double> served = new();
    private readonly Queue<double> booted = new();
    private long arrived;
    private long ended;
    private ScaleMeasures measured = new();

    /// <summary>The meter of all pools together, which is told what this one is; null for that one itself.</summary>
    public ScaleMeter? Whole { get; init; }

    /// <summary>Which pool's meter is told of the jobs of a queue; null where there is only one pool.</summary>
    public Func<string, ScaleMeter?>? PoolOf { get; set; }

    /// <summary>Jobs that have come in since the start; attempts after the first are not counted.</summary>
    public long TotalArrived => Interlocked.Read(ref arrived);

    /// <summary>Jobs that workers have done since the start.</summary>
    public long TotalServed => Interlocked.Read(ref ended);

    /// <summary>So many jobs have come in that need a worker.</summary>
    public void Arrived(int jobs)
    {
        if (jobs <= 0)
            return;
        Interlocked.Add(ref arrived, jobs);
        trace?.Arrived(jobs);
    }

    /// <summary>A job of a queue was done, and kept a lane busy for so long. Attempts that failed say nothing of that.</summary>
    public void Served(string queue, TimeSpan time)
    {
        Served(time);
        PoolOf?.Invoke(queue)?.Served(time);
    }

    /// <summary>A job was done, and kept a lane busy for so long.</summary>
    public void Served(TimeSpan time)
    {
        Interlocked.Increment(ref ended);
        lock (gate)
        {
            measured = measured.WithService(time.TotalSeconds);
            Keep(served, time);
        }
    }

    /// <summary>A worker has joined, so long after it was launched.</summary>
    public void Booted(TimeSpan time)
    {
        Whole?.Booted(time);
        lock (gate)
        {
            measured = measured.WithBoot(time.TotalSeconds);
            Keep(booted, time);
        }
    }

    /// <summary>What jobs and boots take, on average over the latest.</summary>
    public ScaleMeasures Measured
    {
        get
        {
            lock (gate)
                return measured;
        }
        set
        {
            lock (gate)
                measured = value;
        }
    }

    /// <summary>Service and boot times since this was last asked, in seconds; of more than a thousand the latest.</summary>
    public (IReadOnlyList<double> Served, IReadOnlyList<double> Booted) Take()
    {
        lock (gate)
        {
            var times = (served.ToArray(), booted.ToArray());
            served.Clear();
            booted.Clear();
            return times;
        }
    }

    private static void Keep(Queue<double> times, TimeSpan time)
    {
        times.Enqueue(time.TotalSeconds);
        if (times.Count > MostKept)
            times.Dequeue();
    }
}
