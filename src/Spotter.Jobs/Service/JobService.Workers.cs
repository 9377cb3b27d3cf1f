using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What workers do: take, run, hand in.</summary>
public sealed partial class JobService : IJobSource
{
    /// <inheritdoc/>
    public async Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel)
    {
        var started = await waiting.TakeAsync(worker, queues, wait, cancel);
        if (started is not null)
            Backlog.Taken();
        return started;
    }

    /// <inheritdoc/>
    public Task<Stream> OpenInputAsync(InputRef input, CancellationToken cancel) => OpenInputAsync(input.Key, cancel);

    /// <summary>The bytes of an input.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BlobMissing"/>.</exception>
    public async Task<Stream> OpenInputAsync(string key, CancellationToken cancel) =>
        await blobs.OpenAsync(key, cancel) ?? throw new SpotterException(ErrorCodes.BlobMissing, $"The picture {key} is not in the blob store.");

    /// <inheritdoc/>
    public async Task<string> PutOutputAsync(Lease lease, ReadOnlyMemory<byte> output, CancellationToken cancel)
    {
        using var content = new MemoryStream(output.ToArray(), writable: false);
        return await PutOutputAsync(content, cancel);
    }

    /// <inheritdoc/>
    public async Task<string> PutOutputFileAsync(Lease lease, string file, CancellationToken cancel)
    {
        await using var content = File.OpenRead(file);
        return await PutOutputAsync(content, cancel);
    }

    /// <summary>Makes an output durable; its key.</summary>
    public async Task<string> PutOutputAsync(Stream output, CancellationToken cancel)
    {
        var key = BlobKey.NewOutput(random, time);
        await blobs.PutAsync(key, output, cancel);
        Failpoint.At("output-stored");
        return key;
    }

    /// <inheritdoc/>
    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        roster.Progressed(worker, leases);
        var kept = leases.Count == 0 ? [] : await store.ExtendAsync(leases, settings.Leases.Duration, cancel);
        return new WorkerOrders([.. leases.Where((_, i) => !kept[i]).Select(l => l.Job)], Drain: false);
    }

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        var ended = await store.FinishAsync(lease, outcome, cancel);
        Failpoint.At("job-finished");
        return ended is not null;
    }

    /// <inheritdoc/>
    public Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel) => Task.FromResult<WorkerOrders?>(null);

    /// <summary>Takes the leases of a worker that is known to be gone, or of all; see <see cref="IJobStore.ReleaseAsync"/>.</summary>
    public Task<int> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        store.ReleaseAsync(worker, error, spendAttempt, cancel);
}
