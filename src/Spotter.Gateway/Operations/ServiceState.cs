using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Operations;

/// <summary>Puts together what the page and the metrics show of the service.</summary>
internal sealed class ServiceState(
    JobService jobs, WorkerRoster roster, DecisionLog decisions, GatewaySettings settings, TimeProvider time, WorkerPools? pools = null)
{
    public async Task<StatsView> ReadAsync(CancellationToken cancel)
    {
        var all = await jobs.CountAsync(cancel);
        var counts = all.Jobs;
        var workers = pools?.List() ?? roster.List();
        int In(WorkerState state) => workers.Count(w => w.State == state);
        return new StatsView
        {
            Queued = counts.Queued,
            Running = counts.Running,
            Succeeded = counts.Succeeded,
            Failed = counts.Failed,
            Dead = counts.Dead,
            Cancelled = counts.Cancelled,
            Unserved = jobs.Unserved.CountIn(all),
            Workers = workers.Count - In(WorkerState.Draining),
            DesiredWorkers = decisions.Target,
            MaxWorkers = settings.Jobs.MaxWorkers,
            Lanes = roster.Lanes,
            OldestSeconds = all.OldestQueued is { } oldest ? Math.Round(Math.Max(0, (time.GetUtcNow() - oldest).TotalSeconds), 1) : 0,
            Booting = In(WorkerState.Booting),
            Loading = In(WorkerState.Loading),
            Idle = In(WorkerState.Idle),
            Busy = In(WorkerState.Busy),
            Draining = In(WorkerState.Draining),
            Devices = roster.Models.Where(m => m.Model.Device is not null).DistinctBy(m => (m.Worker, m.Model.Device))
                .CountBy(m => m.Model.Device!, StringComparer.Ordinal).OrderBy(d => d.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal),
            Pools = pools is { All.Count: > 1 } ? [.. pools.All.Select(View)] : [],
            JobsPerSecond = Math.Round(jobs.Drain.PerSecond ?? 0, 1),
        };
    }

    private static PoolView View(WorkerPool pool)
    {
        var workers = pool.Fleet.List();
        int In(WorkerState state) => workers.Count(w => w.State == state);
        return new PoolView(
            pool.Name, workers.Count - In(WorkerState.Draining), pool.MaxWorkers, In(WorkerState.Booting), In(WorkerState.Loading), In(WorkerState.Idle), In(WorkerState.Busy), In(WorkerState.Draining));
    }
}
