namespace Spotter.Core.Scaling;

/// <summary>Workers that can be started and stopped: processes, pods, machines.</summary>
public interface IFleet
{
    /// <summary>The workers that there are, draining ones included.</summary>
    Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancel);

    /// <summary>Starts <paramref name="count"/> workers; returns when they are launched, not when they have joined.</summary>
    Task LaunchAsync(int count, CancellationToken cancel);

    /// <summary>Lets a worker finish what it has and end. Never interrupts a job.</summary>
    Task DrainAsync(string worker, CancellationToken cancel);

    /// <summary>Takes a drain back; false when it is too late or can't be done.</summary>
    Task<bool> CancelDrainAsync(string worker, CancellationToken cancel);
}
