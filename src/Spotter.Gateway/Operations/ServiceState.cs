using Spotter.Gateway.Models;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Operations;

/// <summary>Puts together what the page and the metrics show of the service.</summary>
internal sealed class ServiceState(
    IJobStore store, WorkerRoster roster, DecisionLog decisions, UnservedQueues unserved, GatewaySettings settings, TimeProvider time, IFleet? fleet = null)
{
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Queue<(long At, long Ended)> samples = new();

    public async Task<StatsView> ReadAsync(CancellationToken cancel)
    {
        var counts = await store.CountAsync(null, cancel);
        var workers = fleet is null ? roster.List() : await fleet.ListAsync(cancel);
        int In(WorkerState state) => workers.Count(w => w.State == state);
        return new StatsView
        {
            Queued = counts.Queued,
            Running = counts.Running,
            Succeeded = counts.Succeeded,
            Failed = counts.Failed,
            Dead = counts.Dead,
            Cancelled = counts.Cancelled,
            Unserved = counts.Queued == 0 ? 0 : await unserved.CountAsync(store, cancel),
            Workers = workers.Count,
            DesiredWorkers = decisions.Target,
            MaxWorkers = settings.MaxWorkers,
            Lanes = roster.Lanes,
            OldestSeconds = counts.OldestQueued is { } oldest ? Math.Round(Math.Max(0, (time.GetUtcNow() - oldest).TotalSeconds), 1) : 0,
            Booting = In(WorkerState.Booting),
            Idle = In(WorkerState.Idle),
            Busy = In(WorkerState.Busy),
            Draining = In(WorkerState.Draining),
            JobsPerSecond = Rate(counts.Succeeded + counts.Failed + counts.Dead + counts.Cancelled),
        };
    }

    /// <summary>Jobs per second between now and the oldest reading of the last ten seconds.</summary>
    private double Rate(long ended)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            samples.Enqueue((now, ended));
            while (samples.Count > 2 && time.GetElapsedTime(samples.Peek().At, now) > RateWindow)
                samples.Dequeue();
            var (at, before) = samples.Peek();
            var seconds = time.GetElapsedTime(at, now).TotalSeconds;
            // Rows that were purged in between make the count fall; a rate never does.
            return seconds <= 0 ? 0 : Math.Round(Math.Max(0, ended - before) / seconds, 1);
        }
    }
}
