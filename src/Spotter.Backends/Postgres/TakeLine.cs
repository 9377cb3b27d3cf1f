using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Those who want an id. Calls that come together are served by one statement; who gets nothing stands in line until
/// something is put in here, another gateway says that it has put something in, a hidden id becomes available, or it is
/// time to look all the same.
/// </summary>
/// <param name="take">Takes so many ids for those who serve the same queues.</param>
/// <param name="giveBack">Makes available again what was taken for somebody who has gone.</param>
/// <param name="clock">The time.</param>
internal sealed class TakeLine(TakeLine.Take take, Func<IReadOnlyList<Delivery>, Task> giveBack, TimeProvider clock) : IDisposable
{
    /// <summary>Ids in one statement.</summary>
    private const int Largest = 500;

    /// <summary>Those in line; more are refused.</summary>
    private const int MostWaiting = 20_000;

    /// <summary>With nothing heard, it is looked this often.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = new();
    private Task pump = Task.CompletedTask;
    private ITimer? timer;
    private long nextDue = long.MaxValue;
    private bool pumping;
    private bool closed;

    /// <summary>Takes ids; and when it is fewer than wanted, when the next becomes available.</summary>
    public delegate Task<(List<Delivery> Taken, long? NextDue)> Take(string[] queues, TimeSpan hold, int wanted);

    /// <summary>See <see cref="IJobQueue"/>.</summary>
    public async Task<Delivery?> TakeAsync(IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var waiter = new Waiter([.. queues], hold, wait, rank, cancel);
        lock (gate)
        {
            if (closed)
                throw Closing();
            if (waiters.Count >= MostWaiting)
                throw new SpotterException(ErrorCodes.Busy, "Too many workers wait for jobs at this gateway; try again in some seconds.");
            waiters.AddLast(waiter);
            if (waiter.Waits && wait != Timeout.InfiniteTimeSpan)
                waiter.Timer = clock.CreateTimer(static state => ((Waiter)state!).TryDeliver(null), waiter, wait, Timeout.InfiniteTimeSpan);
            SetTimer();
            Begin();
        }
        using (cancel.UnsafeRegister(static state => ((Waiter)state!).GiveUp(), waiter))
        {
            try
            {
                return await waiter.Answered;
            }
            finally
            {
                waiter.Timer?.Dispose();
            }
        }
    }

    /// <summary>Something may be to be had from a queue; from any when null.</summary>
    public void Filled(string? queue)
    {
        lock (gate)
        {
            if (closed)
                return;
            var anybody = false;
            for (var node = waiters.First; node is not null; node = node.Next)
            {
                if (queue is not null && !node.Value.Queues.Contains(queue, StringComparer.Ordinal))
                    continue;
                node.Value.Hungry = true;
                anybody = true;
            }
            if (anybody)
                Begin();
        }
    }

    /// <summary>Something becomes available at this time, in microseconds.</summary>
    public void FilledLater(long visibleAt)
    {
        lock (gate)
        {
            if (visibleAt >= nextDue)
                return;
            nextDue = visibleAt;
            SetTimer();
        }
    }

    /// <summary>Those in line hear that the queue is being closed.</summary>
    public async Task StopAsync()
    {
        Task last;
        lock (gate)
        {
            closed = true;
            last = pump;
        }
        await last;
        lock (gate)
        {
            foreach (var waiter in waiters)
                waiter.Fail(Closing());
            waiters.Clear();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            timer?.Dispose();
            timer = null;
        }
    }

    private static SpotterException Closing() => PostgresFault.ToRefusal(new ObjectDisposedException(null)) as SpotterException;

    private void Begin()
    {
        if (pumping)
            return;
        pumping = true;
        pump = Task.Run(PumpAsync);
    }

    private async Task PumpAsync()
    {
        while (NextGroup() is { } group)
            await ServeAsync(group);
    }

    /// <summary>Those who are to be served together; null when nobody is hungry.</summary>
    private List<Waiter>? NextGroup()
    {
        lock (gate)
        {
            var group = new List<Waiter>();
            for (var node = waiters.First; node is not null && group.Count < Largest;)
            {
                var (waiter, next) = (node.Value, node.Next);
                if (waiter.IsOver)
                {
                    waiters.Remove(node);
                }
                else if (waiter.Hungry && (group.Count == 0 || waiter.GoesWith(group[0])))
                {
                    waiter.Hungry = false;
                    group.Add(waiter);
                }
                node = next;
            }
            if (group.Count > 0 && !closed)
                return group;
            pumping = false;
            return null;
        }
    }

    private async Task ServeAsync(List<Waiter> group)
    {
        List<Delivery> taken;
        long? next;
        try
        {
            (taken, next) = await take(group[0].Queues, group[0].Hold, group.Count);
        }
        catch (Exception e)
        {
            var refusal = PostgresFault.IsFault(e) ? PostgresFault.ToRefusal(e) : e;
            group.ForEach(w => w.Fail(refusal));
            return;
        }

        var given = 0;
        foreach (var waiter in group.OrderByDescending(w => w.Rank()))
        {
            if (given == taken.Count)
            {
                if (!waiter.Waits)
                    waiter.TryDeliver(null);
            }
            else if (waiter.TryDeliver(taken[given]))
            {
                given++;
            }
        }
        if (next is { } due)
            FilledLater(due);
        if (given < taken.Count)
            await GiveBackAsync(taken[given..]);
    }

    private async Task GiveBackAsync(List<Delivery> left)
    {
        try
        {
            await giveBack(left);
        }
        catch (Exception e) when (PostgresFault.IsFault(e) || e is SpotterException)
        {
            // They stay hidden for as long as a lease, and come back then.
        }
    }

    // Called with the gate held.
    private void SetTimer()
    {
        if (closed || waiters.Count == 0)
            return;
        var wait = nextDue == long.MaxValue ? Look : TimeSpan.FromMicroseconds(Math.Max(0, nextDue - Microseconds.Now(clock)));
        if (wait > Look)
            wait = Look;
        timer ??= clock.CreateTimer(_ => LookAgain(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void LookAgain()
    {
        lock (gate)
        {
            if (nextDue <= Microseconds.Now(clock))
                nextDue = long.MaxValue;
        }
        Filled(null);
        lock (gate)
            SetTimer();
    }

    private sealed class Waiter(string[] queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel)
    {
        private readonly TaskCompletionSource<Delivery?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string[] Queues => queues;

        public TimeSpan Hold => hold;

        public Func<long> Rank => rank;

        public bool Waits { get; } = wait > TimeSpan.Zero || wait == Timeout.InfiniteTimeSpan;

        public Task<Delivery?> Answered => answer.Task;

        /// <summary>True once it has its answer, or no longer wants one.</summary>
        public bool IsOver => answer.Task.IsCompleted;

        /// <summary>There may be something for it.</summary>
        public bool Hungry { get; set; } = true;

        public ITimer? Timer { get; set; }

        public bool GoesWith(Waiter other) => hold == other.Hold && queues.AsSpan().SequenceEqual(other.Queues);

        /// <summary>False when the caller has gone, so that the id is still there for others.</summary>
        public bool TryDeliver(Delivery? delivery) => answer.TrySetResult(delivery);

        public void Fail(Exception error) => answer.TrySetException(error);

        public void GiveUp() => answer.TrySetCanceled(cancel);
    }
}
