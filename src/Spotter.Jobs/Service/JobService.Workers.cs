using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What workers do: take, run, hand in.</summary>
public sealed partial class JobService
{
    // A worker fetches what it takes at once; after that it asks its gateway.
    private static readonly TimeSpan WorkerLinkLife = TimeSpan.FromMinutes(5);

    /// <summary>Takes one job from one of <paramref name="queues"/> (<see cref="QueueNames"/>), waiting up to <paramref name="wait"/> for one to come; null if none came.</summary>
    public Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel) =>
        TakeAsync(worker, queues, pairs: false, wait, cancel);

    /// <summary>As <see cref="TakeAsync(string, IReadOnlyCollection{string}, TimeSpan, CancellationToken)"/>.</summary>
    /// <param name="worker">Who takes it.</param>
    /// <param name="queues">The queues.</param>
    /// <param name="wait">How long to wait.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="pairs">True for a worker that also runs jobs for two of the models of these queues.</param>
    public async Task<StartedJob?> TakeAsync(string worker, IReadOnlyCollection<string> queues, bool pairs, TimeSpan wait, CancellationToken cancel)
    {
        var started = await waiting.TakeAsync(worker, queues, pairs, wait, cancel);
        if (started is null)
            return null;
        Backlog.Taken(started.Job.Priority);
        return JobTracing.Taken(started, time.GetUtcNow());
    }

    /// <summary>The bytes of an input of a job that a worker runs; no others are its business.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BlobMissing"/>; <see cref="ErrorCodes.LeaseLost"/>.</exception>
    public async Task<Stream> OpenInputAsync(string worker, JobId job, string key, CancellationToken cancel)
    {
        if (await store.FindAsync(job, cancel) is not { State: JobState.Running } row || row.Worker != worker || row.Spec.Inputs.All(i => i.Key != key))
            throw new SpotterException(ErrorCodes.LeaseLost, $"The worker '{worker}' does not run a job {job} with such a picture.");
        return await blobs.OpenAsync(key, cancel) ?? throw new SpotterException(ErrorCodes.BlobMissing, $"The picture {key} is not in the blob store.");
    }

    /// <summary>A job that was taken, with links to its inputs where the blob store has any.</summary>
    public async Task<StartedJob> WithLinksAsync(StartedJob started, CancellationToken cancel)
    {
        if (blobs.Links is not { } links)
            return started;
        try
        {
            var all = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var input in started.Job.Spec.Inputs)
                all[input.Key] = await links.LinkAsync(input.Key, WorkerLinkLife, cancel);
            return started with { Links = all };
        }
        catch (SpotterException)
        {
            // The worker hears of it when it asks the gateway for them.
            return started;
        }
    }

    /// <summary>A job that was taken, with files that hold its inputs where they are files here; for a worker on this machine.</summary>
    public StartedJob WithFiles(StartedJob started)
    {
        if (blobs.Files is not { } files)
            return started;
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in started.Job.Spec.Inputs)
        {
            if (files.Lend(input.Key) is { } file)
                all[input.Key] = file;
        }
        return started with { Files = all };
    }

    /// <summary>A form with which the holder of a lease puts an output into the blob store, under a key of its own.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="bytes">The output's length.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.LeaseLost"/>; <see cref="ErrorCodes.UnsupportedOption"/>: only the gateway reaches the blob store.</exception>
    public async Task<WorkerOutputForm> OfferOutputAsync(Lease lease, long bytes, CancellationToken cancel)
    {
        if (await store.FindAsync(lease.Job, cancel) is not { State: JobState.Running } row || row.Worker != lease.Worker || row.FencingToken != lease.FencingToken)
            throw new SpotterException(ErrorCodes.LeaseLost, $"The worker '{lease.Worker}' does not run job {lease.Job}.");
        var key = BlobKey.NewOutput(random, time);
        return new WorkerOutputForm(key, await Links.FormAsync(key, InputTerms.AnyBytes, bytes, bytes, WorkerLinkLife, note: null, cancel));
    }

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
        var kept = leases.Count == 0 ? [] : await store.ExtendAsync(leases, settings.Leases.Duration, settings.Leases.Enough, cancel);
        return new WorkerOrders([.. leases.Where((_, i) => !kept[i]).Select(l => l.Job)], Drain: false)
        {
            OthersAreFree = leases.Select(l => l.Queue).Distinct(StringComparer.Ordinal).Any(queue => roster.HasFreeLane(worker, QueueNames.ModelsOf(queue))),
        };
    }

    /// <summary>Ends an attempt; false when the lease was lost and nothing was changed.</summary>
    public async Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        if (outcome is JobOutcome.Done done)
            await CheckOutputsAsync(done, cancel);
        var ended = await store.FinishAsync(lease, outcome, cancel);
        Failpoint.At("job-finished");
        if (ended is null)
            return false;
        JobTracing.Ran(lease, outcome, ended, time.GetUtcNow());
        Finished(lease, outcome, ended);
        return true;
    }

    /// <summary>What a worker hands in was made in this attempt: it is an output, and no job has it yet.</summary>
    private async Task CheckOutputsAsync(JobOutcome.Done done, CancellationToken cancel)
    {
        OutputRef.Check(done.Outputs);
        List<string> keys = [.. done.Output is { } picture ? [picture] : Array.Empty<string>(), .. done.Outputs.Select(o => o.Key)];
        if (keys.Exists(k => !OutputRef.IsKey(k)))
            throw new SpotterException(ErrorCodes.InvalidRequest, "The worker hands in an output under a key of something else.");
        if (keys.Count > 0 && (await store.UnknownBlobsAsync(keys, cancel)).Count < keys.Count)
            throw new SpotterException(ErrorCodes.LeaseLost, "The outputs are some job's already: this one's, which has ended, or another's.");
    }

    /// <summary>Takes the leases of a worker that is known to be gone, or of all; see <see cref="IJobStore.ReleaseAsync"/>.</summary>
    public Task<LostLeases> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        store.ReleaseAsync(worker, error, spendAttempt, cancel);
}
