using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Backends;

/// <summary>The ports of one deployment, open. Disposing of it does what waits and closes them.</summary>
public sealed class Backend : IAsyncDisposable
{
    private readonly BlobPlace place;
    private readonly OwnedBlobStore blobs;
    private readonly Func<ValueTask> close;
    private int closed;

    internal Backend(IJobStore jobs, string storeId, BlobPlace place, IOutbox outbox, Task<Exception> failed, Func<ValueTask> close)
    {
        (Jobs, StoreId, Outbox) = (jobs, storeId, outbox);
        blobs = new OwnedBlobStore(place, storeId, jobs);
        Failed = place.Failed is { } lost ? Task.WhenAny(failed, lost).Unwrap() : failed;
        (this.place, this.close) = (place, close);
    }

    /// <summary>
    /// True when other gateways may have it open at the same time: what it holds need not be this process's own, nor be
    /// put right by it alone.
    /// </summary>
    public bool IsShared { get; internal init; }

    /// <summary>The truth about jobs, and the queue in which they wait.</summary>
    public IJobStore Jobs { get; }

    /// <summary>What tells the job store from all others. It is made once and kept in the store, so gateways that share the store share it.</summary>
    public string StoreId { get; }

    /// <summary>Keeps pictures, in a place that is this job store's alone.</summary>
    public IBlobStore Blobs => blobs;

    /// <summary>Hears of uploads past the gateway; null where that was not asked for.</summary>
    public IUploadEvents? UploadEvents => place.UploadEvents;

    /// <summary>Given up when everything else is closed.</summary>
    internal IDisposable? Held { get; set; }

    /// <summary>Deliveries to be made.</summary>
    public IOutbox Outbox { get; }

    /// <summary>Who scales which pool of workers.</summary>
    public required IControllerLease Controllers { get; init; }

    /// <summary>Messages that doors took in.</summary>
    public required IInbox Inbox { get; init; }

    /// <summary>Which gateways have which models.</summary>
    public required IModelRegistry Models { get; init; }

    /// <summary>
    /// Completes, with the reason, when what was written can't be relied on any more (a failed fsync, a damaged
    /// file). Everything is refused from then on, and the process should end with an error: only a new one can tell
    /// what is on the disk.
    /// </summary>
    public Task<Exception> Failed { get; }

    /// <summary>Makes sure that pictures can be kept, and that their place is not another job store's; worth doing once, before anything is accepted.</summary>
    /// <returns>What is wrong but may pass by itself; nothing is stored or deleted until it has. Null if all is well.</returns>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.StoreUnavailable"/>: it won't work until somebody puts it right: the bucket is missing,
    /// credentials don't allow it, or its pictures are not this job store's.
    /// </exception>
    public Task<string?> CheckBlobsAsync(CancellationToken cancel) => blobs.CheckAsync(cancel);

    /// <summary>Finishes what waits to be written, and ends; once, however often it is asked for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0)
            return;
        await close();
        place.Dispose();
        Held?.Dispose();
    }
}
