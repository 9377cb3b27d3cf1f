namespace Spotter.Scaling;

/// <summary>How backlog and fleet stood at one moment, and what came in until then.</summary>
/// <param name="Time">When.</param>
/// <param name="Queued">Jobs waiting; null when unknown.</param>
/// <param name="Running">Jobs running; null when unknown.</param>
/// <param name="Arrived">Jobs that came in since the sample before.</param>
/// <param name="Wanted">Workers wanted.</param>
/// <param name="Ready">Workers that have joined and are not draining.</param>
/// <param name="Booting">Workers launched that have not joined, or load their first model.</param>
/// <param name="Draining">Workers that finish what they have.</param>
public readonly record struct ScaleSample(
    DateTimeOffset Time, int? Queued, int? Running, long Arrived, int Wanted, int Ready, int Booting, int Draining)
{
    /// <summary>Both as one: the peaks of what waits and runs, all that came in, and the fleet as it stood last.</summary>
    public ScaleSample With(ScaleSample later) => later with
    {
        Time = Time,
        Queued = later.Queued is { } queued ? Math.Max(queued, Queued ?? queued) : null,
        Running = later.Running is { } running ? Math.Max(running, Running ?? running) : null,
        Arrived = Arrived + later.Arrived,
    };

    /// <summary>Two pools as one. What runs is told of all pools by each.</summary>
    public ScaleSample Plus(ScaleSample other) => this with
    {
        Queued = Queued + other.Queued,
        Wanted = Wanted + other.Wanted,
        Ready = Ready + other.Ready,
        Booting = Booting + other.Booting,
        Draining = Draining + other.Draining,
    };
}

/// <summary>Samples of the last hour, one a second, for a chart. Safe to use from many threads.</summary>
public sealed class ScaleSeries
{
    private const int Kept = 3600;

    private readonly Lock gate = new();
    private readonly Queue<ScaleSample> samples = new();
    private readonly Dictionary<string, ScaleSample> pools = new(StringComparer.Ordinal);
    private ScaleSample? open;

    /// <summary>Notes how a pool stands, for the sum of all pools; samples of one second become one.</summary>
    public void Add(ScaleSample sample, string pool = "")
    {
        lock (gate)
        {
            pools[pool] = sample;
            sample = pools.Values.Aggregate((a, b) => a.Plus(b)) with { Time = sample.Time, Arrived = sample.Arrived };
            if (open is { } current && IsSame(current.Time, sample.Time, TimeSpan.FromSeconds(1)))
            {
                open = current.With(sample);
                return;
            }
            if (open is { } ended)
                samples.Enqueue(ended);
            if (samples.Count > Kept)
                samples.Dequeue();
            open = sample;
        }
    }

    /// <summary>The samples since <paramref name="since"/>, oldest first; those of each <paramref name="step"/> as one.</summary>
    public IReadOnlyList<ScaleSample> Read(DateTimeOffset since, TimeSpan step)
    {
        var read = new List<ScaleSample>();
        lock (gate)
        {
            foreach (var sample in open is { } last ? samples.Append(last) : samples)
            {
                if (sample.Time < since)
                    continue;
                if (read.Count > 0 && IsSame(read[^1].Time, sample.Time, step))
                    read[^1] = read[^1].With(sample);
                else
                    read.Add(sample);
            }
        }
        return read;
    }

    private static bool IsSame(DateTimeOffset a, DateTimeOffset b, TimeSpan step) => a.Ticks / step.Ticks == b.Ticks / step.Ticks;
}
