using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>Workers that can be started and stopped: processes, pods, machines.</summary>
public interface IFleet
{
    /// <summary>The workers that there are, draining ones included.</summary>
    Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancel);

    /// <summary>How workers have ended of late without being told to.</summary>
    FleetHealth Health { get; }

    /// <summary>
    /// Starts workers; returns when they are launched, not when they have joined. How many: fewer than
    /// <paramref name="count"/> when there is no capacity, or while it waits because others ended too soon.
    /// </summary>
    Task<int> LaunchAsync(int count, CancellationToken cancel);

    /// <summary>Lets a worker finish what it has and end. Never interrupts a job. One that is already told to changes nothing.</summary>
    Task DrainAsync(string worker, CancellationToken cancel);

    /// <summary>Takes a drain back, so that the worker goes on taking jobs; false when it is too late or can't be done.</summary>
    Task<bool> CancelDrainAsync(string worker, CancellationToken cancel);
}

/// <summary>What a fleet knows of workers that ended without being told to.</summary>
/// <param name="Crashes">
/// Workers that had joined and then died, since the start. Those that ran a job with no neighbours are left out: that was
/// the job's doing, and jobs are only given so many workers.
/// </param>
/// <param name="FailedBoots">Workers in a row that ended before they had joined, or took too long; 0 as soon as one joins.</param>
public readonly record struct FleetHealth(long Crashes, int FailedBoots);
