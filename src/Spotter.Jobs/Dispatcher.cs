using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Jobs;

/// <summary>
/// Joins store, queue and blobs into the life of a job, and keeps the order of things: blob before row, row before
/// queue, result before acknowledgement. Everything that moves jobs goes through here.
/// </summary>
/// <param name="store">The truth.</param>
/// <param name="queue">Delivers ids.</param>
/// <param name="blobs">Keeps pictures.</param>
/// <param name="hold">How long a lease lasts without a heartbeat.</param>
/// <param name="arrived">Told how many jobs come in; null when nobody wants to know.</param>
/// <param name="rank">Which of several workers that wait is given the next job: the one that ranks highest; null for the longest waiting.</param>
public sealed class Dispatcher(
    IJobStore store, IJobQueue queue, IBlobStore blobs, TimeSpan hold, Action<int>? arrived = null, Func<string, long>? rank = null) : IJobSource
{
    /// <summary>
    /// Accepts jobs whose pictures are durable: writes their rows, then puts them into their queues. Returning is
    /// the acceptance. A queue that fails here loses nothing, since the sweep finds the rows.
    /// </summary>
    public async Task<IReadOnlyList<AddedJob>> AcceptAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancel)
    {
        var added = await store.AddAsync(jobs, cancel);
        Failpoint.At("job-accepted");
        // What was answered from a stored result has ended already.
        var work = added.Where(a => a.IsNew && a.Job.State == JobState.Queued).Select(a => a.Job).ToList();
        arrived?.Invoke(work.Count);
        foreach (var job in work)
            await EnqueueOrLeaveToSweepAsync(new(job.Id, job.Queue, job.Priority), DelayOf(job));
        Failpoint.At("job-queued");
        return added;
    }

    /// <inheritdoc/>
    public async Task<StartedJob?> TakeAsync(
        string worker, IReadOnlyCollection<string> queues, TimeSpan wait, CancellationToken cancel)
    {
        while (true)
        {
            var delivery = await queue.TakeAsync(queues, hold, wait, () => rank?.Invoke(worker) ?? 0, cancel);
            if (delivery is null)
                return null;
            Failpoint.At("job-taken");
            // From here on the delivery is ours: a caller that goes away now must not leave it half started.
            var started = await store.StartAsync(delivery, worker, hold, CancellationToken.None);
            Failpoint.At("job-started");
            if (started is not null)
                return started;
            // Finished, cancelled or held by someone else, so this delivery is one too many; or its queue lost
            // count of the delay, and the sweep brings it back when it is due.
            await queue.CompleteAsync(delivery, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenImageAsync(ImageRef image, CancellationToken cancel) =>
        await blobs.OpenAsync(image.Key, cancel)
        ?? throw new SpotterException(ErrorCodes.BlobMissing, $"The picture {image.Key} is not in the blob store.");

    /// <inheritdoc/>
    public async Task<string> PutOutputAsync(Lease lease, ReadOnlyMemory<byte> picture, CancellationToken cancel)
    {
        using var content = new MemoryStream(picture.ToArray(), writable: false);
        return await PutOutputAsync(lease, content, cancel);
    }

    /// <summary>As <see cref="PutOutputAsync(Lease, ReadOnlyMemory{byte}, CancellationToken)"/>, from a stream.</summary>
    public async Task<string> PutOutputAsync(Lease lease, Stream picture, CancellationToken cancel)
    {
        var key = BlobKey.Output(lease.Job, lease.FencingToken);
        await blobs.PutAsync(key, picture, cancel);
        Failpoint.At("output-stored");
        return key;
    }

    /// <inheritdoc/>
    public async Task<WorkerOrders> HeartbeatAsync(string worker, IReadOnlyList<Lease> leases, CancellationToken cancel)
    {
        var lost = new List<JobId>();
        foreach (var lease in leases)
        {
            if (!await ExtendAsync(lease, cancel))
                lost.Add(lease.Job);
        }
        return new WorkerOrders(lost, Drain: false);
    }

    /// <summary>Prolongs a lease; false when it is lost and the work is in vain.</summary>
    public async Task<bool> ExtendAsync(Lease lease, CancellationToken cancel)
    {
        if (!await store.ExtendAsync(lease, hold, cancel))
            return false;
        await queue.ExtendAsync(DeliveryOf(lease), hold, cancel);
        return true;
    }

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Lease lease, JobOutcome outcome, CancellationToken cancel)
    {
        var ended = await store.FinishAsync(lease, outcome, cancel);
        if (ended is null)
            return false;
        Failpoint.At("job-finished");
        if (ended.RetryAfter is { } delay)
            await queue.ReturnAsync(DeliveryOf(lease), delay, CancellationToken.None);
        else
            await queue.CompleteAsync(DeliveryOf(lease), CancellationToken.None);
        Failpoint.At("delivery-settled");
        return true;
    }

    /// <inheritdoc/>
    public Task<WorkerOrders?> AskToLeaveAsync(string worker, CancellationToken cancel) => Task.FromResult<WorkerOrders?>(null);

    /// <summary>Takes the leases of a worker that is known to be gone, or of all; see <see cref="IJobStore.ReleaseAsync"/>.</summary>
    public async Task<int> ReleaseAsync(string? worker, JobError error, bool spendAttempt, CancellationToken cancel) =>
        await RequeueAsync(await store.ReleaseAsync(worker, error, spendAttempt, cancel));

    /// <summary>Takes leases that have run out and puts their jobs back into their queues; how many.</summary>
    public async Task<int> ReapAsync(int limit, CancellationToken cancel) =>
        await RequeueAsync(await store.ReapAsync(limit, cancel));

    /// <summary>Puts jobs back into their queues that were due long ago, as a queue may lose ids; how many.</summary>
    public async Task<int> SweepAsync(TimeSpan overdue, int skip, int limit, CancellationToken cancel)
    {
        var jobs = await store.OverdueAsync(overdue, skip, limit, cancel);
        if (jobs.Count > 0)
            Failpoint.At("overdue-found");
        foreach (var job in jobs)
            await queue.EnqueueAsync(job.Id, job.Queue, job.Priority, TimeSpan.Zero, cancel);
        return jobs.Count;
    }

    /// <summary>Puts dead jobs back into their queues; how many.</summary>
    public async Task<int> RedriveAsync(RedriveFilter filter, string? by, CancellationToken cancel)
    {
        var jobs = await store.RedriveAsync(filter, by, cancel);
        foreach (var job in jobs)
            await EnqueueOrLeaveToSweepAsync(job, TimeSpan.Zero);
        return jobs.Count;
    }

    private async Task<int> RequeueAsync(IReadOnlyList<EndedAttempt> ended)
    {
        if (ended.Count > 0)
            Failpoint.At("leases-taken");
        foreach (var attempt in ended)
        {
            if (attempt.RetryAfter is { } delay)
                await EnqueueOrLeaveToSweepAsync(new(attempt.Id, attempt.Queue, attempt.Priority), delay);
        }
        return ended.Count;
    }

    private static TimeSpan DelayOf(Job job) => job.NotBefore is { } start && start > job.Created ? start - job.Created : TimeSpan.Zero;

    private async Task EnqueueOrLeaveToSweepAsync(DueJob job, TimeSpan delay)
    {
        try
        {
            await queue.EnqueueAsync(job.Id, job.Queue, job.Priority, delay, CancellationToken.None);
        }
        catch (SpotterException)
        {
            // The row is durable, so the job is accepted whatever becomes of this id: the sweep enqueues it again.
        }
    }

    private static Delivery DeliveryOf(Lease lease) => new(lease.Job, lease.Queue, lease.Receipt);
}
