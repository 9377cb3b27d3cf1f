namespace Spotter.Jobs;

/// <summary>
/// Delivers ids at least once, from named queues (<see cref="QueueNames"/>), by priority and then roughly in order
/// (<see cref="PriorityTurns"/>); the store knows what is done. A queue may lose ids and deliver them twice. Errors as
/// <see cref="IJobStore"/>.
/// </summary>
public interface IJobQueue
{
    /// <summary>Makes an id available after <paramref name="delay"/>. Doing so twice may deliver it twice.</summary>
    Task EnqueueAsync(JobId job, string queue, JobPriority priority, TimeSpan delay, CancellationToken cancel);

    /// <summary>
    /// Hides one available id of one of <paramref name="queues"/> for <paramref name="hold"/> and returns it, waiting up to <paramref name="wait"/> for
    /// one to come (<see cref="Timeout.InfiniteTimeSpan"/>: until cancelled); null if none came.
    /// </summary>
    Task<Delivery?> TakeAsync(IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, CancellationToken cancel) =>
        TakeAsync(queues, hold, wait, static () => 0, cancel);

    /// <summary>
    /// The same, where of several who wait for an id the one with the highest <paramref name="rank"/> at that moment gets it,
    /// and of equals whoever has waited longest.
    /// </summary>
    Task<Delivery?> TakeAsync(IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel);

    /// <summary>Hides a delivery for <paramref name="hold"/> from now; nothing happens when it is no longer the latest.</summary>
    Task ExtendAsync(Delivery delivery, TimeSpan hold, CancellationToken cancel);

    /// <summary>Makes a delivery available again after <paramref name="delay"/>; nothing happens when it is no longer the latest.</summary>
    Task ReturnAsync(Delivery delivery, TimeSpan delay, CancellationToken cancel);

    /// <summary>
    /// Removes a delivery; nothing happens when it is no longer the latest. Call after storing the result, so that a
    /// late call is harmless.
    /// </summary>
    Task CompleteAsync(Delivery delivery, CancellationToken cancel);

    /// <summary>How many ids there are; approximate where the technology only knows roughly.</summary>
    Task<QueueDepth> DepthAsync(string queue, CancellationToken cancel);
}

/// <summary>The size of one queue.</summary>
/// <param name="Waiting">Ids to be delivered, now or later.</param>
/// <param name="InFlight">Ids delivered and hidden.</param>
public sealed record QueueDepth(long Waiting, long InFlight);
