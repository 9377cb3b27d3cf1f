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

    /// <summary>Hands in how attempts ended, and takes the next jobs, in one call where there is one for that (<see cref="WorkerExchange"/>).</summary>
    /// <param name="worker">The worker's name.</param>
    /// <param name="finished">The attempts that ended, at most <see cref="WorkerExchange.MostFinished"/>.</param>
    /// <param name="wanted">What to take; null for nothing. It is waited for only when nothing is handed in.</param>
    /// <param name="cancel">Ends the wait.</param>
    Task<WorkerExchanged> ExchangeAsync(string worker, IReadOnlyList<WorkerFinish> finished, WantedJobs? wanted, CancellationToken cancel) =>
        ExchangeOneByOneAsync(this, worker, finished, wanted, cancel);

    /// <summary>The same by a call for each outcome. A job is taken only when nothing is handed in: two calls don't share a transaction.</summary>
    static async Task<WorkerExchanged> ExchangeOneByOneAsync(
        IJobSource source, string worker, IReadOnlyList<WorkerFinish> finished, WantedJobs? wanted, CancellationToken cancel)
    {
        var refused = await Task.WhenAll(finished.Select(async f =>
        {
            try
            {
                return await source.FinishAsync(f.Lease, f.Outcome, cancel) ? null : new JobError(ErrorCodes.LeaseLost, "The lease is lost.");
            }
            catch (SpotterException refusal)
            {
                return new JobError(refusal.Code, refusal.Message);
            }
        }));
        return finished.Count == 0 && wanted is not null && await source.TakeAsync(worker, wanted.Queues, wanted.Wait, cancel) is { } started
            ? new WorkerExchanged(refused, [started])
            : new WorkerExchanged(refused, []);
    }

    /// <summary>
    /// Asked by a worker that was told to drain and has handed in everything: null when it may go, and is known no more;
    /// else what it is to do instead, since the drain was taken back.
    /// </summary>
    Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel);
}

/// <summary>What a worker takes.</summary>
/// <param name="Queues">From these queues (<see cref="QueueNames"/>).</param>
/// <param name="Most">So many jobs at most.</param>
/// <param name="Wait">How long to wait for the first one.</param>
public sealed record WantedJobs(IReadOnlyCollection<string> Queues, int Most, TimeSpan Wait);
