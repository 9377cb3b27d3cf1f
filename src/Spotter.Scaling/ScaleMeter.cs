using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// What happens between two ticks of the scale loop: jobs arrive, workers boot. Safe to use from many threads, and bounded
/// when nobody looks.
/// </summary>
/// <param name="trace">Where arrivals are recorded; null when they are only counted.</param>
public sealed class ScaleMeter(IArrivalTrace? trace = null)
{
    private const int MostKept = 1000;

    private readonly Lock gate = new();
    private readonly Queue<double> booted = new();
    private long arrived;
    private ScaleMeasures measured = new();

    /// <summary>The meter of all pools together, which is told what this one is; null for that one itself.</summary>
    public ScaleMeter? Whole { get; init; }

    /// <summary>Jobs that have come in through this gateway since the start; attempts after the first are not counted.</summary>
    public long TotalArrived => Interlocked.Read(ref arrived);

    /// <summary>So many jobs have come in that need a worker.</summary>
    public void Arrived(int jobs)
    {
        if (jobs <= 0)
            return;
        Interlocked.Add(ref arrived, jobs);
        trace?.Arrived(jobs);
    }

    /// <summary>More jobs were done.</summary>
    public void Served(ServedJobs jobs)
    {
        Whole?.Served(jobs);
        lock (gate)
            measured = measured.WithService(jobs);
    }

    /// <summary>A worker has joined, so long after it was launched.</summary>
    public void Booted(TimeSpan time)
    {
        Whole?.Booted(time);
        lock (gate)
        {
            measured = measured.WithBoot(time.TotalSeconds);
            booted.Enqueue(time.TotalSeconds);
            if (booted.Count > MostKept)
                booted.Dequeue();
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

    /// <summary>Boot times since this was last asked, in seconds; of more than a thousand the latest.</summary>
    public IReadOnlyList<double> TakeBooted()
    {
        lock (gate)
        {
            var times = booted.ToArray();
            booted.Clear();
            return times;
        }
    }
}
