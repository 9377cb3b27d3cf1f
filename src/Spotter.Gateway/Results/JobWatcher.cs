using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>Wakes whoever waits for a job when its row has changed.</summary>
public sealed class JobWatcher(IJobStore store, TimeProvider time, ILogger<JobWatcher> log) : IHostedService, IDisposable
{
    // A change may get lost on the way, so nobody sleeps longer than this without looking at the row.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<JobId, Watch> watches = new();
    private readonly CancellationTokenSource ended = new();
    private Task following = Task.CompletedTask;
    private volatile bool closed;
    private bool disposed;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        following = FollowAlwaysAsync(ended.Token);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await ended.CancelAsync();
        await following;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Twice: it is registered under two types.
        if (disposed)
            return;
        disposed = true;
        // A gateway that never came to listen is not stopped, only disposed of.
        ended.Cancel();
        ended.Dispose();
    }

    /// <summary>True once the gateway is stopping, so that nobody should wait any longer.</summary>
    public bool Closed => closed;

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

    /// <summary>Waits for a change, but not for long.</summary>
    public async Task SleepAsync(Task changed, TimeSpan longest, CancellationToken cancel)
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

    private async Task FollowAlwaysAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await FollowAsync(cancel);
                await Task.Delay(LongestSleep, time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task FollowAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var id in store.ChangesAsync(cancel))
            {
                if (watches.TryGetValue(id, out var watch))
                    watch.Signal();
            }
        }
        catch (Exception lost) when (lost is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            log.LogWarning(lost, "The store's changes can't be followed; trying again");
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
