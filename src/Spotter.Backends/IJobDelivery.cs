using Spotter.Jobs;

namespace Spotter.Backends;

/// <summary>
/// Delivers the ids of queued jobs whose rows a job store keeps. What it says is never the truth: only the row grants a lease. It may
/// forget all it knows at any moment, and finds it again in the rows.
/// </summary>
internal interface IJobDelivery : IAsyncDisposable
{
    /// <summary>
    /// For each request the ids of jobs that are due, in the order in which they are to be taken and no more than it has workers. Nobody else
    /// is given them until <see cref="RefusedAsync"/>, or for as long as the leases would last.
    /// </summary>
    /// <exception cref="Spotter.Core.SpotterException">It can't be asked.</exception>
    Task<DeliveredIds> NextAsync(IReadOnlyList<TakeRequest> requests, CancellationToken cancel);

    /// <summary>Jobs were accepted. Returns once they are to be had, or when that is left for later; never throws.</summary>
    Task AcceptedAsync(IReadOnlyList<Job> jobs);

    /// <summary>Rows have changed otherwise than by a take. Returns once that is taken over, or left for later; never throws.</summary>
    Task ChangedAsync(IReadOnlyCollection<JobChange> changes);

    /// <summary>Delivered jobs for which no lease was granted; never throws.</summary>
    Task RefusedAsync(IReadOnlyCollection<JobId> ids);
}

/// <summary>What was delivered.</summary>
/// <param name="Ids">The ids for each request.</param>
/// <param name="NextDue">For each request with fewer ids than workers: when the next job of its queues is due; null when none is known.</param>
internal sealed record DeliveredIds(IReadOnlyList<IReadOnlyList<JobId>> Ids, IReadOnlyList<DateTimeOffset?> NextDue);

/// <summary>What a delivery asks about the rows.</summary>
internal interface IJobRows
{
    /// <summary>Where these jobs stand, in no order; those without a row are left out.</summary>
    /// <exception cref="Spotter.Core.SpotterException">It can't be asked.</exception>
    Task<IReadOnlyList<JobPlace>> FindAsync(IReadOnlyCollection<JobId> ids, CancellationToken cancel);

    /// <summary>A page of all queued jobs, in one order that always holds; after the last of the page before.</summary>
    /// <exception cref="Spotter.Core.SpotterException">It can't be asked.</exception>
    Task<IReadOnlyList<JobPlace>> ListQueuedAsync(JobPlace? after, int limit, CancellationToken cancel);

    /// <summary>How many are queued, due or not, by queue. Costs the same however many there are.</summary>
    /// <exception cref="Spotter.Core.SpotterException">It can't be asked.</exception>
    Task<IReadOnlyDictionary<string, long>> CountQueuedAsync(CancellationToken cancel);
}

/// <summary>Where a job stands, as its row says. Times are <see cref="Microseconds"/>.</summary>
/// <param name="Id">The job.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="Priority">Its level.</param>
/// <param name="State">Its state.</param>
/// <param name="Due">While it is queued: when it may be taken.</param>
/// <param name="Ticket">Its place among those of its queue and level that are due at the same time.</param>
/// <param name="Expires">From when it is no longer given; null when it always is.</param>
/// <param name="LeasedUntil">While it runs: when its lease runs out.</param>
/// <param name="Row">Its row, for the next page.</param>
internal sealed record JobPlace(JobId Id, string Queue, JobPriority Priority, JobState State, long Due, long Ticket, long? Expires, long? LeasedUntil, long Row = 0)
{
    /// <summary>That of a job that was just accepted.</summary>
    public static JobPlace Of(Job job)
    {
        var created = Microseconds.From(job.Created);
        return new(
            job.Id, job.Queue, job.Priority, job.State, job.Spec.NotBefore is { } earliest ? Math.Max(created, Microseconds.From(earliest)) : created,
            job.Ticket, job.Expires is { } expires ? Microseconds.From(expires) : null, null);
    }
}

/// <summary>Opens the delivery of a job store.</summary>
/// <param name="storeId">See <see cref="Backend.StoreId"/>.</param>
/// <param name="rows">The rows.</param>
/// <param name="clock">The store's time, by which jobs are due.</param>
internal delegate IJobDelivery OpenDelivery(string storeId, IJobRows rows, TimeProvider clock);

/// <summary>A technology that keeps jobs, and can leave it to another one to deliver them.</summary>
internal interface IJobRowsModule : IBackendModule
{
    /// <summary>As <see cref="IBackendModule.Open"/>, with a delivery, which is closed with the backend.</summary>
    Backend Open(BackendContext context, OpenDelivery deliver);
}
