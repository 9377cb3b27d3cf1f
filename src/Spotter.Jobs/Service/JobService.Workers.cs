using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What workers do: take, run, hand in.</summary>
public sealed partial class JobService
{
    /// <summary>Takes one job from one of <paramref name="queues"/> (<see cref="QueueNames"/>), waiting up to <paramref name="wait"/> for one to come; null if none came.</summary>
    public async Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel)
    {
        var started = await waiting.TakeAsync(worker, queues, wait, cancel);
        if (started is not null)
            Backlog.Taken();
        return started;
    }

    /// <summary>The bytes of an input.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BlobMissing"/>.</exception>
    public async Task<Stream> OpenInputAsync(string key, CancellationToken cancel) =>
        await blobs.OpenAsync(key, cancel) ?? throw new SpotterException(ErrorCodes.BlobMissing, $"The picture {key} is not in the blob store.");

    /// <summary>Makes an output durable; its key.</summary>
    public async Task<string> PutOutputAsync(Stream output, CancellationToken cancel)
    {
        var key = BlobKey.NewOutput(random, time);
        await blobs.PutAsync(key, output, cancel);
        Failpoint.At("output-stored");
        return key;
    }

    /// <summary>A sign of life that prolongs the worker's leases; what it is to do about them.</summary>
    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        roster.Progressed(worker, leases);
        var kept = leases.Count == 0 ? [] : await store.ExtendAsync(leases, settings.Leases.Duration, cancel);
        return new WorkerOrders([.. leases.Where((_, i) => !kept[i]).Select(l => l.Job)], Drain: false)
        {
            OthersAreFree = leases.Select(l => QueueNames.ModelOf(l.Queue)).Distinct(StringComparer.Ordinal).Any(model => roster.HasFreeLane(worker, model)),
        };
    }

    /// <summary>Ends an attempt; false when the lease was lost and nothing was changed.</summary>
    public async Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        if (outcome is JobOutcome.Done { Outputs: var outputs })
            OutputRef.Check(outputs);
        var ended = await store.FinishAsync(lease, outcome, cancel);
        Failpoint.At("job-finished");
        return ended is not null;
    }

    /// <summary>Takes the leases of a worker that is known to be gone, or of all; see <see cref="IJobStore.ReleaseAsync"/>.</summary>
    public Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        store.ReleaseAsync(worker, error, spendAttempt, cancel);
}
