using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Spotter.Jobs;

/// <summary>Wakes whoever waits for a job when its row has changed.</summary>
public sealed class JobWatcher : IDisposable
{
    // A change may get lost on the way, so nobody sleeps longer than this without looking at the row.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(2);

    private readonly IJobStore store;
    private readonly IDisposable subscription;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<JobId, Watch> watches = new();
    private volatile bool closed;

    /// <summary>Begins to listen.</summary>
    public JobWatcher(IJobStore store, ChangeFeed changes, TimeProvider time)
    {
        (this.store, this.time) = (store, time);
        subscription = changes.Subscribe(OnChanged);
    }

    /// <inheritdoc/>
    public void Dispose() => subscription.Dispose();

    /// <summary>Wakes everybody for the last time: a gateway that stops keeps no request waiting.</summary>
    public void Close()
    {
        closed = true;
        foreach (var watch in watches.Values)
            watch.Signal();
    }

    /// <summary>Begins to watch a job. Look at the row after this, so that no change falls between.</summary>
    public Watch Begin(JobId id)
    {
        while (true)
        {
            var watch = watches.GetOrAdd(id, static (key, owner) => new Watch(owner, key), this);
            if (watch.TryAdd())
                return watch;
        }
    }

    /// <summary>Waits until a job is terminal, at most <paramref name="wait"/> and not beyond the gateway's end; the row as it stands then.</summary>
    public async Task<Job?> WaitAsync(JobId id, TimeSpan wait, CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        using var watch = Begin(id);
        while (true)
        {
            var changed = watch.NextAsync();
            var job = await store.FindAsync(id, cancel);
            var left = wait - time.GetElapsedTime(start);
            if (job is null || job.State.IsTerminal() || left <= TimeSpan.Zero || closed)
                return job;
            await SleepAsync(changed, left, cancel);
        }
    }

    /// <summary>The row of a job, now, at each change, and from time to time, as places in the queue change too; until it is terminal or the gateway ends.</summary>
    public async IAsyncEnumerable<Job> FollowAsync(JobId id, TimeSpan atLeastEvery, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var watch = Begin(id);
        while (true)
        {
            var changed = watch.NextAsync();
            if (await store.FindAsync(id, cancel) is not { } job)
                yield break;
            yield return job;
            if (job.State.IsTerminal() || closed)
                yield break;
            await SleepAsync(changed, atLeastEvery, cancel);
        }
    }

    /// <summary>Waits for a change, but not for long.</summary>
    private async Task SleepAsync(Task changed, TimeSpan longest, CancellationToken cancel)
    {
        var sleep = longest < LongestSleep ? longest : LongestSleep;
        try
        {
            await changed.WaitAsync(sleep, time, cancel);
        }
        catch (TimeoutException)
        {
            // Then the row says whether something has changed.
        }
    }

    private void OnChanged(JobChange change)
    {
        if (change.Job is { } id)
        {
            if (watches.TryGetValue(id, out var watch))
                watch.Signal();
        }
        else if (change.IsMissed)
        {
            foreach (var watch in watches.Values)
                watch.Signal();
        }
    }

    /// <summary>One job that somebody waits for. Dispose of it to stop watching.</summary>
    public sealed class Watch : IDisposable
    {
        private readonly JobWatcher owner;
        private readonly JobId id;
        private readonly Lock gate = new();
        private TaskCompletionSource next = NewSource();
        private int users;

        internal Watch(JobWatcher owner, JobId id)
        {
            this.owner = owner;
            this.id = id;
        }

        /// <summary>Ends with the next change after this call.</summary>
        public Task NextAsync()
        {
            lock (gate)
                return next.Task;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (gate)
            {
                if (--users > 0)
                    return;
                users = -1;
                owner.watches.TryRemove(new(id, this));
            }
        }

        internal bool TryAdd()
        {
            lock (gate)
            {
                if (users < 0)
                    return false;
                users++;
                return true;
            }
        }

        internal void Signal()
        {
            TaskCompletionSource woken;
            lock (gate)
            {
                woken = next;
                next = NewSource();
            }
            woken.SetResult();
        }

        private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
