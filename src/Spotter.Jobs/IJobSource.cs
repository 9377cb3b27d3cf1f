using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What a worker needs of the rest.</summary>
public interface IJobSource
{
    /// <summary>Takes one job from one of <paramref name="queues"/> (<see cref="QueueNames"/>), waiting up to <paramref name="wait"/> for one to come; null if none came.</summary>
    Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel);

    /// <summary>The bytes of an input of a job that was taken.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BlobMissing"/>; <see cref="ErrorCodes.LeaseLost"/>.</exception>
    Task<Stream> OpenInputAsync(StartedJob started, InputRef input, CancellationToken cancel);

    /// <summary>Makes an output durable; its key, for <see cref="JobOutcome.Done.Output"/>.</summary>
    Task<string> PutOutputAsync(StartedJob started, ReadOnlyMemory<byte> output, CancellationToken cancel);

    /// <summary>As <see cref="PutOutputAsync"/>, for an output that is too large for memory.</summary>
    Task<string> PutOutputFileAsync(StartedJob started, string file, CancellationToken cancel);

    /// <summary>A sign of life that prolongs the worker's leases; what it is to do about them.</summary>
    Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel);

    /// <summary>Hands in how the attempt ended; false when the lease was lost and nothing was changed.</summary>
    Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel);

    /// <summary>
    /// Asked by a worker that was told to drain and has handed in everything: null when it may go, and is known no more;
    /// else what it is to do instead, since the drain was taken back.
    /// </summary>
    Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel);
}
