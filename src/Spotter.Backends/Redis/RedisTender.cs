using System.Threading.Channels;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Redis;

/// <summary>
/// Keeps the lists as the rows have it: lets jobs become due, looks after those that were delivered and not heard of again, and when something is
/// missing compares all of it, page by page, in both directions. Every gateway does so, since any of them may be the last.
/// </summary>
internal sealed class RedisTender : IAsyncDisposable
{
    /// <summary>Rows, or entries, of one page.</summary>
    private const int Page = 1000;

    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(5);

    private readonly RedisLists lists;
    private readonly IJobRows rows;
    private readonly TimeProvider clock;
    private readonly Pace pace;
    private readonly CancellationTokenSource ended = new();
    private readonly SemaphoreSlim alone = new(1, 1);
    private readonly Channel<bool> nudges = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private readonly Task tending;
    private TaskCompletionSource whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RedisRound? round;
    private HashSet<string> differed = new(StringComparer.Ordinal);
    private long countedAt;
    private int missed;

    /// <summary>Begins.</summary>
    public RedisTender(RedisLists lists, IJobRows rows, TimeProvider clock, Pace pace)
    {
        (this.lists, this.rows, this.clock, this.pace) = (lists, rows, clock, pace);
        countedAt = pace.Clock.GetTimestamp();
        lists.Reconnected = Missed;
        tending = pace.Start(RunAsync);
    }

    /// <summary>True while the lists are compared with the rows.</summary>
    internal bool IsBusy => Volatile.Read(ref round) is not null;

    /// <summary>The lists were not told of something, or may have forgotten it.</summary>
    public void Missed()
    {
        Volatile.Write(ref missed, 1);
        Nudge();
    }

    /// <summary>The lists were lost.</summary>
    public void Lost() => Nudge();

    /// <summary>Completes once lists that were lost are whole again.</summary>
    public Task WholeAsync()
    {
        lock (gate)
        {
            if (whole.Task.IsCompleted)
                whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Nudge();
            return whole.Task;
        }
    }

    /// <summary>Does what is to be done now; for how long there is nothing to do then, unless somebody says so.</summary>
    /// <exception cref="SpotterException">One of the servers can't be asked.</exception>
    public async Task<TimeSpan> TendAsync(CancellationToken cancel)
    {
        await alone.WaitAsync(cancel);
        try
        {
            RedisTick tick;
            do
                tick = await lists.TickAsync(Microseconds.Now(clock));
            while (tick.HasMore);
            if (tick.Hidden.Count > 0)
                await LookAfterAsync(tick.Hidden, cancel);
            if (!tick.IsWhole || Volatile.Read(ref missed) != 0)
                round = round is { IsUrgent: true } ? round : await BeginAsync(isUrgent: true);
            else if (round is null)
                SayWhole();
            if (round is not null)
                await ContinueAsync(round, cancel);
            else if (pace.Clock.GetElapsedTime(countedAt) >= CountEvery)
                await CompareCountsAsync(cancel);
            if (round is { IsUrgent: true })
                return TimeSpan.Zero;
            return tick.Next is { } next ? TimeSpan.FromMicroseconds(Math.Clamp(next - Microseconds.Now(clock), AtOnce.TotalMicroseconds, Often.TotalMicroseconds)) : Often;
        }
        catch
        {
            // What is half done is begun anew.
            if (round is { IsUrgent: true })
                Volatile.Write(ref missed, 1);
            round = null;
            throw;
        }
        finally
        {
            alone.Release();
        }
    }

    /// <summary>Compares now how many jobs wait in the lists and in the rows; true when they are as many.</summary>
    /// <exception cref="SpotterException">One of the servers can't be asked.</exception>
    internal async Task<bool> CompareCountsAsync(CancellationToken cancel)
    {
        countedAt = pace.Clock.GetTimestamp();
        var now = Microseconds.Now(clock);
        var counts = await lists.CountAsync(now);
        if (counts.Any(c => c.Listed != c.Ordered))
        {
            await lists.ResetAsync(now);
            round = await BeginAsync(isUrgent: true);
            return false;
        }
        var rowsOf = await rows.CountQueuedAsync(cancel);
        var listsOf = counts.ToDictionary(c => c.Queue, c => c.Listed + c.Delayed, StringComparer.Ordinal);
        var differ = rowsOf.Keys.Union(listsOf.Keys, StringComparer.Ordinal)
            .Where(queue => rowsOf.GetValueOrDefault(queue) != listsOf.GetValueOrDefault(queue)).ToHashSet(StringComparer.Ordinal);
        // What is on its way is counted by one and not the other: with much traffic that is nearly always so, hence there is no hurry.
        if (differ.Overlaps(differed))
            round = await BeginAsync(isUrgent: false);
        differed = differ;
        return differ.Count == 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await tending;
        lists.Reconnected = null;
        ended.Dispose();
        alone.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var wait = Often;
                try
                {
                    wait = await TendAsync(ended.Token);
                }
                catch (SpotterException)
                {
                    // Who takes or sends jobs says so; here it is tried again.
                }
                if (wait > TimeSpan.Zero)
                    await WaitAsync(wait);
                ended.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task WaitAsync(TimeSpan wait)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ended.Token);
        await Task.WhenAny(nudges.Reader.WaitToReadAsync(over.Token).AsTask(), Task.Delay(wait, pace.Clock, over.Token));
        nudges.Reader.TryRead(out _);
        await over.CancelAsync();
    }

    private void Nudge() => nudges.Writer.TryWrite(true);

    private void SayWhole()
    {
        lock (gate)
            whole.TrySetResult();
    }

    /// <summary>Whoever had them may be gone: the rows know.</summary>
    private async Task LookAfterAsync(IReadOnlyList<(JobId Id, string Until)> hidden, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var found = (await rows.FindAsync([.. hidden.Select(h => h.Id)], cancel)).ToDictionary(place => place.Id);
        await lists.ApplyAsync(
            hidden.Select(h => found.TryGetValue(h.Id, out var place)
                ? RedisEntry.Of(place, now, RedisEntry.WhileHidden(h.Until)) : RedisEntry.Gone(h.Id, RedisEntry.WhileHidden(h.Until))),
            now);
    }

    private async Task<RedisRound> BeginAsync(bool isUrgent)
    {
        Volatile.Write(ref missed, 0);
        var begun = new RedisRound(lists, rows, clock, pace.Random, Page) { IsUrgent = isUrgent };
        await begun.BeginAsync();
        return begun;
    }

    private async Task ContinueAsync(RedisRound one, CancellationToken cancel)
    {
        if (!await one.ContinueAsync(cancel))
            return;
        round = null;
        if (one.IsWhole && Volatile.Read(ref missed) == 0)
            SayWhole();
    }
}
