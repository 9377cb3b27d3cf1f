using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>A pool of workers that this gateway scales.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MaxWorkers">Most workers that it may have.</param>
/// <param name="Fleet">Its workers.</param>
public sealed record WorkerPool(string Name, int MaxWorkers, IFleet Fleet)
{
    /// <summary>The name of the one pool that there is unless told otherwise.</summary>
    public const string Default = "default";

    /// <summary>How many workers there are to be, where somebody outside Spotter starts them; null where this gateway does.</summary>
    public DesiredWorkers? Desired { get; init; }
}

/// <summary>The pools of this gateway, and all workers that have joined it.</summary>
/// <param name="pools">The pools.</param>
/// <param name="roster">The workers that have joined, also those that belong to no pool.</param>
public sealed class WorkerPools(IReadOnlyList<WorkerPool> pools, WorkerRoster roster)
{
    /// <summary>The pools.</summary>
    public IReadOnlyList<WorkerPool> All => pools;

    /// <summary>True for a worker that has to join another gateway, as that one scales it.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="models">The ids of its models, from one that is about to join; null for those that it has told.</param>
    public bool IsElsewhere(string worker, IReadOnlyList<string>? models = null) => pools.Any(p => p.Fleet.IsElsewhere(worker, models));

    /// <summary>All workers, each once.</summary>
    public IReadOnlyList<WorkerView> List() =>
        [.. pools.SelectMany(p => p.Fleet.List()).Concat(roster.List()).DistinctBy(w => w.Id, StringComparer.Ordinal)];
}
