namespace Spotter.Jobs;

/// <summary>
/// Says how long a job will take from what recent ones took on the workers of all gateways: averages of service times, of
/// all and of each queue, in which each new one counts for a tenth.
/// </summary>
public sealed class Estimator(WorkerRoster roster, JobSettings settings)
{
    private const double Weight = 0.1;

    // Until something was measured: about what a small model takes on one core, and what a process needs to start.
    private const double FirstServiceSeconds = 0.1;
    private const double BootSeconds = 1.0;

    private readonly Lock gate = new();
    private readonly Dictionary<string, (ServedJobs Seen, double Average)> byQueue = new(StringComparer.Ordinal);
    private double? all;

    /// <summary>Takes up what the store has counted. Before the first reading all that it ever counted is new.</summary>
    public void Read(StoreCounts counts)
    {
        lock (gate)
        {
            var sum = default(ServedJobs);
            foreach (var (queue, total) in counts.Served)
            {
                var known = byQueue.TryGetValue(queue, out var before);
                var served = total - before.Seen;
                if (served.Jobs <= 0)
                    continue;
                byQueue[queue] = (total, served.Move(known ? before.Average : served.Mean, Weight));
                sum += served;
            }
            if (sum.Jobs > 0)
                all = sum.Move(all ?? sum.Mean, Weight);
        }
    }

    /// <summary>Seconds that a job takes; null while none was seen.</summary>
    /// <param name="queue">Those of this queue, if any were seen; null for all.</param>
    public double? ServiceSeconds(string? queue = null)
    {
        lock (gate)
            return queue is not null && byQueue.TryGetValue(queue, out var known) ? known.Average : all;
    }

    /// <summary>How many jobs of its queue are ahead of a queued one; null when the store does not count that.</summary>
    public static long? PositionOf(Job job, StoreCounts counts)
    {
        long ahead = 0;
        foreach (var line in counts.Backlogs)
        {
            if (line.Queue != job.Queue || line.Priority > job.Priority)
                continue;
            if (line.Priority < job.Priority)
            {
                ahead += line.All;
                continue;
            }
            if (line.Left is not { } left || job.Ticket == 0)
                return null;
            // Whoever left from behind it, or will come later than it, makes this a little wrong, never more than the line is long.
            ahead += Math.Clamp(job.Ticket - 1 - left, 0, Math.Max(0, line.All - 1));
        }
        return ahead;
    }

    /// <summary>Seconds until a job has ended; null when nobody knows, since nobody can run it.</summary>
    /// <param name="job">The job, queued or running.</param>
    /// <param name="ahead">How many jobs are before it; null when that is unknown.</param>
    /// <param name="now">The time.</param>
    public double? EtaSeconds(Job job, long? ahead, DateTimeOffset now)
    {
        var service = ServiceSeconds(job.Queue) ?? FirstServiceSeconds;
        if (job.State == JobState.Running)
            return Rounded(service);

        var (lanes, boot) = (roster.Lanes, (double?)0);
        if (lanes == 0)
            (lanes, boot) = (settings.MaxWorkers * settings.LanesPerWorker, BootSecondsFor(job.Model));
        else if (job.Model is { } model && !roster.HasModel(model) && roster.LoadingOf(model).Workers > 0)
            boot = BootSecondsFor(model);
        if (lanes == 0 || ahead is not { } before || boot is not { } delay)
            return null;
        var turn = delay + (before / lanes * service);
        // What may not begin yet waits for that, too; its turn comes meanwhile.
        var start = job.Spec.NotBefore is { } earliest ? Math.Max(turn, (earliest - now).TotalSeconds) : turn;
        return Rounded(start + service);
    }

    /// <summary>
    /// Seconds until a job that comes now begins, with the workers that there are and those that may still be started;
    /// null when that is not known: nothing was measured yet, or the workers are started by others.
    /// </summary>
    /// <param name="waiting">What waits before it.</param>
    /// <param name="newer">Jobs that came since that was counted, less those that began.</param>
    /// <param name="running">Jobs that run.</param>
    public double? ForecastStart(IReadOnlyList<Backlog> waiting, long newer, long running)
    {
        if (ServiceSeconds() is not { } average)
            return null;
        var lanes = roster.Lanes;
        var ahead = waiting.Sum(b => b.All) + newer;
        if (ahead <= 0 && running < lanes)
            return 0;
        var work = (newer * average) + waiting.Sum(b => b.All * (ServiceSeconds(b.Queue) ?? average));
        // Those that run are half done, on average, and one lane is enough.
        if (lanes > 0)
            work += average / 2;
        return StartForecast.Seconds(Math.Max(0, work), lanes, settings.MaxWorkers * settings.LanesPerWorker, BootSeconds);
    }

    /// <summary>Seconds until a worker has the model; null when it is being loaded, and nobody knows how long that takes.</summary>
    private double? BootSecondsFor(string? model)
    {
        if (model is null)
            return BootSeconds;
        var (loading, known) = (roster.LoadingOf(model), roster.Loads.Of(model)?.TotalSeconds);
        return loading.Workers == 0 ? BootSeconds + (known ?? 0) : known is { } usual ? Math.Max(0, usual - loading.Longest.TotalSeconds) : null;
    }

    private static double Rounded(double seconds) => Math.Round(seconds, 1, MidpointRounding.ToPositiveInfinity);
}
