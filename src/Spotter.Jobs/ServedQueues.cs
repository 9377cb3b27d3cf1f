namespace Spotter.Jobs;

/// <summary>The queues that a worker serves at one moment.</summary>
/// <param name="Names">Their names (<see cref="QueueNames"/>).</param>
/// <param name="Changed">Cancelled once what the worker has is no longer this.</param>
public sealed record ServedQueues(IReadOnlyCollection<string> Names, CancellationToken Changed);
