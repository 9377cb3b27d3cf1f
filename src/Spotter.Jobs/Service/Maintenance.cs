using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Puts right what crashes and time leave behind: leases that ran out, jobs past their deadline, blobs and rows past their
/// age, blobs that no job speaks of. Any number may run beside each other.
/// </summary>
/// <param name="store">Knows them.</param>
/// <param name="blobs">Keeps pictures.</param>
/// <param name="settings">How long things are held and kept.</param>
/// <param name="clock">The time.</param>
public sealed class Maintenance(IJobStore store, IBlobStore blobs, LeaseSettings settings, TimeProvider clock)
{
    private const int Batch = 500;
    private const int MostBatches = 20;

    // One after another, a store across a network would not keep up with what comes in.
    private const int DeletedAtOnce = 16;

    /// <summary>Told how many leases ran out and were taken back.</summary>
    public Action<int> Reaped { get; set; } = static _ => { };

    private readonly SteadySight sight = new(settings, clock);
    private DateTimeOffset nextOrphanSearch = DateTimeOffset.MinValue;

    /// <summary>
    /// Does so every <see cref="LeaseSettings.Sweep"/> until cancelled. Jobs and blobs apart: a blob store that is slow or
    /// away must not keep leases from being taken back.
    /// </summary>
    /// <param name="onError">Hears what went wrong; the next round tries again.</param>
    /// <param name="cancel">Ends it.</param>
    public Task RunAsync(Action<Exception> onError, CancellationToken cancel) =>
        Task.WhenAll(RepeatAsync(TendJobsInSightAsync, onError, cancel), RepeatAsync(TendBlobsAsync, onError, cancel));

    /// <summary>Does everything once. What fails keeps nothing else from being done.</summary>
    /// <exception cref="AggregateException">Some of it failed.</exception>
    public async Task<Tended> RunOnceAsync(CancellationToken cancel)
    {
        var errors = new List<Exception>();
        var moved = await TendJobsAsync(withLeases: true, errors.Add, cancel);
        var aged = await TendBlobsAsync(errors.Add, cancel);
        return errors.Count == 0
            ? moved with { Expired = aged.Expired, Purged = aged.Purged, Orphans = aged.Orphans }
            : throw new AggregateException(errors);
    }

    private async Task RepeatAsync(Func<Action<Exception>, CancellationToken, Task<Tended>> round, Action<Exception> onError, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await round(onError, cancel);
                await Task.Delay(settings.Sweep, clock, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // This is how it ends.
        }
    }

    /// <summary>Leaves leases alone that ran out while nobody here could have extended them.</summary>
    private async Task<Tended> TendJobsInSightAsync(Action<Exception> onError, CancellationToken cancel)
    {
        var hasAnswered = true;
        var tended = await TendJobsAsync(sight.Look(), failed =>
        {
            hasAnswered = false;
            onError(failed);
        }, cancel);
        if (hasAnswered)
            sight.Answered();
        return tended;
    }

    private async Task<Tended> TendJobsAsync(bool withLeases, Action<Exception> onError, CancellationToken cancel) => new(
        Reaped: withLeases ? await TryAsync(() => RepeatAsync(() => ReapAsync(cancel)), onError, cancel) : 0,
        Late: await TryAsync(() => RepeatAsync(() => store.ExpireAsync(Batch, cancel)), onError, cancel),
        Expired: 0, Purged: 0, Orphans: 0);

    private async Task<Tended> TendBlobsAsync(Action<Exception> onError, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return new(
            Reaped: 0, Late: 0,
            Expired: await TryAsync(() => RepeatAsync(() => ExpireBlobsAsync(now - settings.KeepBlobs, cancel)), onError, cancel),
            Purged: await TryAsync(() => RepeatAsync(() => store.PurgeAsync(now - settings.KeepJobs, Batch, cancel)), onError, cancel),
            Orphans: await TryAsync(() => DeleteOrphansAsync(now, cancel), onError, cancel));
    }

    private static async Task<int> TryAsync(Func<Task<int>> step, Action<Exception> onError, CancellationToken cancel)
    {
        try
        {
            return await step();
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            onError(e);
            return 0;
        }
    }

    private async Task<int> ReapAsync(CancellationToken cancel)
    {
        var reaped = await store.ReapAsync(Batch, cancel);
        if (reaped > 0)
        {
            Failpoint.At("leases-taken");
            Reaped(reaped);
        }
        return reaped;
    }

    /// <summary>Batch after batch as long as they are full; the rest is left to the next round.</summary>
    private static async Task<int> RepeatAsync(Func<Task<int>> batch)
    {
        var sum = 0;
        for (var i = 0; i < MostBatches; i++)
        {
            var done = await batch();
            sum += done;
            if (done < Batch)
                break;
        }
        return sum;
    }

    private async Task<int> ExpireBlobsAsync(DateTimeOffset finishedBefore, CancellationToken cancel)
    {
        // Marked first: should the deletion be cut off, the search for orphans ends it.
        var keys = await store.ExpireBlobsAsync(finishedBefore, Batch, cancel);
        if (keys.Count > 0)
            Failpoint.At("pictures-expired");
        await Parallel.ForEachAsync(
            keys, new ParallelOptions { MaxDegreeOfParallelism = DeletedAtOnce, CancellationToken = cancel },
            async (key, stop) => await blobs.DeleteAsync(key, stop));
        return keys.Count;
    }

    private async Task<int> DeleteOrphansAsync(DateTimeOffset now, CancellationToken cancel)
    {
        // Looks at every blob, so not in each round.
        if (now < nextOrphanSearch)
            return 0;
        var deleted = 0;
        foreach (var prefix in (string[])[BlobKey.InputsPrefix, BlobKey.OutputsPrefix])
        {
            var batch = new List<string>(Batch);
            await foreach (var key in blobs.ListAsync(prefix, now - settings.OrphanAge, cancel))
            {
                batch.Add(key);
                if (batch.Count < Batch)
                    continue;
                deleted += await DeleteUnknownAsync(batch, cancel);
                batch.Clear();
            }
            deleted += await DeleteUnknownAsync(batch, cancel);
        }
        if (blobs.Links is not null)
            deleted += await DeleteUploadsAsync(now - settings.UploadAge, cancel);
        await blobs.DeleteUnfinishedAsync(now - settings.OrphanAge, cancel);
        nextOrphanSearch = now + settings.OrphanAge;
        return deleted;
    }

    /// <summary>No row ever names them: what becomes a job is copied first.</summary>
    private async Task<int> DeleteUploadsAsync(DateTimeOffset before, CancellationToken cancel)
    {
        var deleted = 0;
        foreach (var prefix in (string[])[BlobKey.UploadsPrefix, BlobKey.TicketsPrefix])
        {
            await foreach (var key in blobs.ListAsync(prefix, before, cancel))
            {
                await blobs.DeleteAsync(key, cancel);
                deleted++;
            }
        }
        return deleted;
    }

    private async Task<int> DeleteUnknownAsync(List<string> keys, CancellationToken cancel)
    {
        if (keys.Count == 0)
            return 0;
        var unknown = await store.UnknownBlobsAsync(keys, cancel);
        foreach (var key in unknown)
        {
            Failpoint.At("orphan-found");
            await blobs.DeleteAsync(key, cancel);
        }
        return unknown.Count;
    }
}

/// <summary>What one round found.</summary>
/// <param name="Reaped">Leases that had run out.</param>
/// <param name="Late">Jobs that nobody had started in time.</param>
/// <param name="Expired">Blobs deleted because of their age.</param>
/// <param name="Purged">Rows deleted because of their age.</param>
/// <param name="Orphans">Blobs deleted that no job spoke of.</param>
public sealed record Tended(int Reaped, int Late, int Expired, int Purged, int Orphans);
