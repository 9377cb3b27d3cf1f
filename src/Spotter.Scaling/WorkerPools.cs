using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>A pool of workers that this gateway starts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MaxWorkers">Most workers that it may have.</param>
/// <param name="Fleet">Its workers.</param>
public sealed record WorkerPool(string Name, int MaxWorkers, FleetController Fleet);

/// <summary>The pools of this gateway, and all workers that have joined it.</summary>
/// <param name="pools">The pools.</param>
/// <param name="roster">The workers that have joined, also those that belong to no pool.</param>
public sealed class WorkerPools(IReadOnlyList<WorkerPool> pools, WorkerRoster roster)
{
    /// <summary>The pools.</summary>
    public IReadOnlyList<WorkerPool> All => pools;

    /// <summary>True for a worker that has to join another gateway, as that one scales it.</summary>
    public bool IsElsewhere(string worker) => pools.Any(p => p.Fleet.IsElsewhere(worker));

    /// <summary>All workers, each once.</summary>
    public IReadOnlyList<WorkerView> List() =>
        [.. pools.SelectMany(p => p.Fleet.List()).Concat(roster.List()).DistinctBy(w => w.Id, StringComparer.Ordinal)];
}
