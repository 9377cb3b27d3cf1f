namespace Spotter.Jobs;

/// <summary>The one reader of the store's changes, for all who want to know of them.</summary>
/// <param name="store">Tells them.</param>
/// <param name="time">The clock.</param>
public sealed class ChangeFeed(IJobStore store, TimeProvider time)
{
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Action<JobChange>[] listeners = [];

    /// <summary>Tells <paramref name="listener"/> of each change; it returns at once and doesn't throw. Dispose of what is returned to hear no more.</summary>
    public IDisposable Subscribe(Action<JobChange> listener)
    {
        lock (gate)
            listeners = [.. listeners, listener];
        return new Subscription(this, listener);
    }

    /// <summary>Follows the changes until cancelled.</summary>
    /// <param name="onError">Hears why they could not be followed for a while.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task RunAsync(Action<Exception> onError, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await foreach (var change in store.ChangesAsync(cancel))
                    Tell(change);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (lost is not OutOfMemoryException)
            {
                onError(lost);
            }
            await Task.Delay(AfterFault, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Tell(JobChange.Missed);
        }
    }

    private void Tell(JobChange change)
    {
        foreach (var listener in Volatile.Read(ref listeners))
            listener(change);
    }

    private sealed class Subscription(ChangeFeed feed, Action<JobChange> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (feed.gate)
                feed.listeners = [.. feed.listeners.Where(l => l != listener)];
        }
    }
}
