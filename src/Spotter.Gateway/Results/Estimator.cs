using System.Collections.Concurrent;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>
/// Says how long a job will take from what recent ones took: averages of service times, of all and of each queue, in
/// which each new one counts for a tenth.
/// </summary>
public sealed class Estimator(WorkerRoster roster, GatewaySettings settings)
{
    private const double Weight = 0.1;

    // Until something was measured: about what a small model takes on one core, and what a process needs to start.
    private const double FirstServiceSeconds = 0.1;
    private const double BootSeconds = 1.0;

    // Models come and go with their files; a gateway that has seen so many has no use for more averages.
    private const int MostQueues = 1000;

    private readonly Average all = new();
    private readonly ConcurrentDictionary<string, Average> byQueue = new(StringComparer.Ordinal);

    /// <summary>A job of a queue has been running for so long.</summary>
    public void Served(string queue, TimeSpan time)
    {
        all.Add(time.TotalSeconds);
        if (byQueue.TryGetValue(queue, out var known) || (byQueue.Count < MostQueues && byQueue.TryAdd(queue, known = new Average())))
            known.Add(time.TotalSeconds);
    }

    /// <summary>Seconds that a job takes; null while none was seen.</summary>
    /// <param name="queue">Those of this queue, if any were seen; null for all.</param>
    public double? ServiceSeconds(string? queue = null) =>
        queue is not null && byQueue.TryGetValue(queue, out var known) ? known.Value : all.Value;

    /// <summary>Seconds until a job has ended that has <paramref name="ahead"/> jobs before it.</summary>
    public double EtaSeconds(JobState state, int ahead)
    {
        var service = all.Value ?? FirstServiceSeconds;
        if (state == JobState.Running)
            return Math.Round(service, 1, MidpointRounding.ToPositiveInfinity);

        var lanes = roster.Lanes;
        var boot = lanes == 0 ? BootSeconds : 0;
        var rounds = (ahead / Math.Max(1, lanes == 0 ? settings.MaxWorkers : lanes)) + 1;
        return Math.Round(boot + (rounds * service), 1, MidpointRounding.ToPositiveInfinity);
    }

    /// <summary>
    /// Seconds until a job that comes now begins, with the workers that there are and those that may still be started;
    /// null when that is not known: nothing was measured yet, or the workers are started by others.
    /// </summary>
    /// <param name="waiting">What waits before it.</param>
    /// <param name="newer">Jobs that came since that was counted, less those that began.</param>
    /// <param name="running">Jobs that run.</param>
    public double? ForecastStart(IReadOnlyList<QueueBacklog> waiting, long newer, long running)
    {
        if (all.Value is not { } average)
            return null;
        var lanes = roster.Lanes;
        var ahead = waiting.Sum(q => q.Queued + q.InternalQueued) + newer;
        if (ahead <= 0 && running < lanes)
            return 0;
        var work = (newer * average) + waiting.Sum(q => (q.Queued + q.InternalQueued) * (ServiceSeconds(q.Queue) ?? average));
        // Those that run are half done, on average, and one lane is enough.
        if (lanes > 0)
            work += average / 2;
        return StartForecast.Seconds(Math.Max(0, work), lanes, settings.MaxWorkers * settings.LanesPerWorker, BootSeconds);
    }

    private sealed class Average
    {
        private readonly Lock gate = new();
        private double? value;

        public double? Value
        {
            get
            {
                lock (gate)
                    return value;
            }
        }

        public void Add(double seconds)
        {
            lock (gate)
                value = value is { } average ? average + (Weight * (seconds - average)) : seconds;
        }
    }
}
