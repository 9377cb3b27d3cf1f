using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Puts right what crashes, lost messages and time leave behind: leases that ran out, ids that a queue lost,
/// pictures and rows past their age, blobs that no job speaks of. Any number may run beside each other.
/// </summary>
/// <param name="dispatcher">Moves jobs.</param>
/// <param name="store">Knows them.</param>
/// <param name="blobs">Keeps pictures.</param>
/// <param name="settings">How long things are held and kept.</param>
/// <param name="clock">The time.</param>
public sealed class Sweeper(Dispatcher dispatcher, IJobStore store, IBlobStore blobs, LeaseSettings settings, TimeProvider clock)
{
    private const int Batch = 500;
    private const int MostBatches = 20;

    // One after another, a store across a network would not keep up with what comes in.
    private const int DeletedAtOnce = 16;

    private int sweptBefore;
    private DateTimeOffset nextOrphanSearch = DateTimeOffset.MinValue;

    /// <summary>
    /// Sweeps every <see cref="LeaseSettings.Sweep"/> until cancelled. Jobs and blobs apart: a blob store that is slow or
    /// away must not keep leases from being taken back.
    /// </summary>
    /// <param name="onError">Hears what went wrong; the next round tries again.</param>
    /// <param name="cancel">Ends it.</param>
    public Task RunAsync(Action<Exception> onError, CancellationToken cancel) =>
        Task.WhenAll(RepeatAsync(SweepJobsAsync, onError, cancel), RepeatAsync(SweepBlobsAsync, onError, cancel));

    /// <summary>Does everything once. What fails keeps nothing else from being done.</summary>
    /// <exception cref="AggregateException">Some of it failed.</exception>
    public async Task<Swept> RunOnceAsync(CancellationToken cancel)
    {
        var errors = new List<Exception>();
        var moved = await SweepJobsAsync(errors.Add, cancel);
        var aged = await SweepBlobsAsync(errors.Add, cancel);
        return errors.Count == 0
            ? moved with { Expired = aged.Expired, Purged = aged.Purged, Orphans = aged.Orphans }
            : throw new AggregateException(errors);
    }

    private async Task RepeatAsync(Func<Action<Exception>, CancellationToken, Task<Swept>> round, Action<Exception> onError, CancellationToken cancel)
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

    private async Task<Swept> SweepJobsAsync(Action<Exception> onError, CancellationToken cancel) => new(
        Reaped: await TryAsync(() => RepeatAsync(() => dispatcher.ReapAsync(Batch, cancel)), onError, cancel),
        Requeued: await TryAsync(() => SweepAsync(cancel), onError, cancel),
        Late: await TryAsync(() => RepeatAsync(() => store.ExpireAsync(Batch, cancel)), onError, cancel),
        Expired: 0, Purged: 0, Orphans: 0);

    private async Task<Swept> SweepBlobsAsync(Action<Exception> onError, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return new(
            Reaped: 0, Requeued: 0, Late: 0,
            Expired: await TryAsync(() => RepeatAsync(() => ExpireImagesAsync(now - settings.KeepImages, cancel)), onError, cancel),
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

    /// <summary>
    /// Every round takes the next batch: jobs that wait for a model which nobody has stay overdue, and must not hide those
    /// behind them.
    /// </summary>
    private async Task<int> SweepAsync(CancellationToken cancel)
    {
        var swept = await dispatcher.SweepAsync(settings.Overdue, sweptBefore, Batch, cancel);
        sweptBefore = swept == Batch ? sweptBefore + Batch : 0;
        return swept;
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

    private async Task<int> ExpireImagesAsync(DateTimeOffset finishedBefore, CancellationToken cancel)
    {
        // Marked first: should the deletion be cut off, the search for orphans ends it.
        var keys = await store.ExpireImagesAsync(finishedBefore, Batch, cancel);
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
        foreach (var prefix in (string[])[BlobKey.OriginalsPrefix, BlobKey.OutputsPrefix])
        {
            await foreach (var key in blobs.ListAsync(prefix, now - settings.OrphanAge, cancel))
            {
                if (BlobKey.JobOf(key) is not { } id || !IsOrphan(key, await store.FindAsync(id, cancel)))
                    continue;
                Failpoint.At("orphan-found");
                await blobs.DeleteAsync(key, cancel);
                deleted++;
            }
        }
        await blobs.DeleteUnfinishedAsync(now - settings.OrphanAge, cancel);
        nextOrphanSearch = now + settings.OrphanAge;
        return deleted;
    }

    private static bool IsOrphan(string key, Job? job)
    {
        if (job is null || job.OriginalExpired)
            return true;
        // What a late worker drew, after the job had ended by another's result.
        return key.StartsWith(BlobKey.OutputsPrefix, StringComparison.Ordinal) && job.State.IsTerminal() && job.Output != key;
    }
}

/// <summary>What one round found.</summary>
/// <param name="Reaped">Leases that had run out.</param>
/// <param name="Requeued">Ids put into their queues again.</param>
/// <param name="Late">Jobs that nobody had started in time.</param>
/// <param name="Expired">Blobs deleted because of their age.</param>
/// <param name="Purged">Rows deleted because of their age.</param>
/// <param name="Orphans">Blobs deleted that no job spoke of.</param>
public sealed record Swept(int Reaped, int Requeued, int Late, int Expired, int Purged, int Orphans);
