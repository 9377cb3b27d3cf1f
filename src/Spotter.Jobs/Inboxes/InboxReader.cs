using Spotter.Core;

namespace Spotter.Jobs.Inboxes;

/// <summary>
/// Deals with the messages of one box, each at least once: an entry is leased, handed to the handler, and its outcome recorded.
/// Conversations don't hold each other back.
/// </summary>
/// <param name="box">The box.</param>
/// <param name="inbox">Keeps the messages.</param>
/// <param name="handler">Deals with them.</param>
/// <param name="settings">How.</param>
/// <param name="onError">Hears what went wrong; the entry, null for the inbox itself; and whether it is given up.</param>
/// <param name="time">The time.</param>
/// <param name="random">Spreads entries that failed together.</param>
public sealed class InboxReader(
    string box, IInbox inbox, IInboxHandler handler, InboxSettings settings, Action<Exception, InboxEntry?, bool> onError, TimeProvider time, RandomSource random)
{
    private const int ForgottenAtOnce = 500;

    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(10);

    // What is under way when the service ends may still come to its end; the rest is dealt with after the next start.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly HashSet<Task> running = [];
    private TaskCompletionSource woken = NewSource();
    private DateTimeOffset nextForget = DateTimeOffset.MinValue;

    /// <summary>Deals with messages until <paramref name="stopping"/>, then waits a little for what is under way.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var cutOff = new CancellationTokenSource();
        using (inbox.WhenFilled(Wake))
        {
            try
            {
                while (!stopping.IsCancellationRequested)
                {
                    Task wake;
                    lock (gate)
                        wake = woken.Task;
                    if (!await TakeQuietlyAsync(cutOff.Token, stopping))
                        await WaitAsync(wake, stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The end.
            }
        }
        var rest = Task.WhenAll(Running());
        await rest.WaitAsync(DrainPatience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await cutOff.CancelAsync();
        await rest;
    }

    private async Task WaitAsync(Task wake, CancellationToken stopping)
    {
        try
        {
            await wake.WaitAsync(settings.Poll, time, stopping);
        }
        catch (TimeoutException)
        {
            // Something may be due by now.
        }
    }

    /// <summary>Takes what there is room for; true when there may be more at once.</summary>
    private async Task<bool> TakeQuietlyAsync(CancellationToken cutOff, CancellationToken stopping)
    {
        try
        {
            var room = settings.AtOnce - Running().Length;
            if (room == 0)
            {
                await Task.WhenAny(Running()).WaitAsync(stopping);
                return true;
            }
            var taken = await inbox.TakeAsync(box, room, settings.Lease, stopping);
            foreach (var entry in taken)
                Begin(entry, cutOff);
            await ForgetAsync(stopping);
            return taken.Count == room;
        }
        catch (SpotterException unavailable)
        {
            onError(unavailable, null, false);
            await Task.Delay(AfterFault, time, stopping);
            return true;
        }
    }

    private async Task ForgetAsync(CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        if (now < nextForget)
            return;
        while (await inbox.ForgetAsync(now - settings.Keep, ForgottenAtOnce, stopping) == ForgottenAtOnce)
            stopping.ThrowIfCancellationRequested();
        nextForget = now + ForgetEvery;
    }

    private Task[] Running()
    {
        lock (gate)
            return [.. running];
    }

    private void Begin(InboxEntry entry, CancellationToken cutOff)
    {
        var task = Task.Run(() => DealAsync(entry, cutOff), CancellationToken.None);
        lock (gate)
            running.Add(task);
        _ = task.ContinueWith(
            ended =>
            {
                lock (gate)
                    running.Remove(ended);
                // The next of its conversation may be due, and there is room for it.
                Wake();
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task DealAsync(InboxEntry entry, CancellationToken cutOff)
    {
        using var late = new CancellationTokenSource(settings.Timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cutOff);
        using var handled = CancellationTokenSource.CreateLinkedTokenSource(cutOff);
        var holding = HoldAsync(entry, ended, handled.Token);
        try
        {
            InboxOutcome outcome;
            try
            {
                Failpoint.At("message-taken");
                outcome = await handler.HandleAsync(entry, ended.Token);
                Failpoint.At("message-handled");
                if (outcome is InboxOutcome.Done { Failed: { } refused })
                    onError(refused, entry, true);
            }
            catch (Exception failed) when (failed is not OutOfMemoryException && !cutOff.IsCancellationRequested)
            {
                outcome = await FailedAsync(entry, failed, cutOff);
            }
            await inbox.SettleAsync(outcome is InboxOutcome.Done { Only: { } only } ? entry with { Messages = only } : entry, outcome, CancellationToken.None);
        }
        catch (Exception unsettled) when (unsettled is not OutOfMemoryException)
        {
            // Taken again once its lease is over.
            if (!cutOff.IsCancellationRequested)
                onError(unsettled, entry, false);
        }
        finally
        {
            await handled.CancelAsync();
            await holding;
        }
    }

    /// <summary>Extends the lease until the entry has been dealt with; stops that when somebody else has it.</summary>
    private async Task HoldAsync(InboxEntry entry, CancellationTokenSource ended, CancellationToken handled)
    {
        try
        {
            while (true)
            {
                await Task.Delay(settings.Lease / 3, time, handled);
                try
                {
                    if (!await inbox.ExtendAsync(entry, settings.Lease, handled))
                        await ended.CancelAsync();
                }
                catch (SpotterException)
                {
                    // It is asked again before the lease is over.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It has been dealt with.
        }
    }

    private async Task<InboxOutcome> FailedAsync(InboxEntry entry, Exception failed, CancellationToken cutOff)
    {
        var isLast = entry.Attempt > settings.Delays.Count;
        onError(failed, entry, isLast);
        if (!isLast)
            return new InboxOutcome.Again(settings.Delays[Math.Max(0, entry.Attempt - 1)] * (0.8 + (0.4 * random.NextDouble())));
        try
        {
            await handler.GiveUpAsync(entry, failed, cutOff);
        }
        catch (Exception unheard) when (unheard is not OutOfMemoryException)
        {
            onError(unheard, entry, true);
        }
        return new InboxOutcome.Done();
    }

    private void Wake()
    {
        lock (gate)
        {
            woken.TrySetResult();
            woken = NewSource();
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
