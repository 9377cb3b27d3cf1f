using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// Delivers ids from a table in the same file as the jobs. Its work is answered before it is durable, since a queue
/// may lose ids: the rows of the jobs know better. Whoever waits for an id gets it handed over by the work that
/// makes one available, so nobody polls; all that is in memory here belongs to the writer's thread.
/// </summary>
internal sealed class SqliteJobQueue : IJobQueue, IDisposable
{
    private const int LeastPrune = 64;

    /// <summary>In microseconds: timers take some weeks at most.</summary>
    private const long LongestTimer = 24L * 3600 * 1_000_000;

    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private readonly SqliteDatabase database;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly LinkedList<QueueWaiter> waiters = new();
    private int pruneAt = LeastPrune;
    private long turn;
    private long nextDue;
    private long timerAt = long.MaxValue;

    public SqliteJobQueue(SqliteDatabase database, TimeProvider clock)
    {
        this.database = database;
        this.clock = clock;
        timer = clock.CreateTimer(_ => _ = ShowLaterAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        database.Writer.WhenTakenBack(() =>
        {
            // What was handed out or hidden may be available again, and what the notes here say may be wrong.
            nextDue = 0;
            SetTimer();
        });
        database.Writer.WhenStopped(FailWaiters);
    }

    public Task EnqueueAsync(JobId job, string queue, JobPriority priority, TimeSpan delay, CancellationToken cancel) =>
        database.ApplyAsync(
            scope =>
            {
                var visibleAt = VisibleAfter(delay);
                // An id that is there already keeps its place. If it is out, whoever holds it has lost it.
                scope.Prepare("""
                    INSERT INTO deliveries (job, queue, visible_at, priority) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (job) DO UPDATE SET
                        visible_at = CASE WHEN in_flight THEN excluded.visible_at ELSE MIN(visible_at, excluded.visible_at) END,
                        queue = excluded.queue, priority = excluded.priority, taken = taken + 1, in_flight = 0
                    """).Bind(1, job).Bind(2, queue).Bind(3, visibleAt).Bind(4, (int)priority).Run();
                Shown(scope, queue, visibleAt);
                return true;
            },
            cancel);

    public async Task<Delivery?> TakeAsync(
        IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var waiter = new QueueWaiter(TakeOrWait, queues, hold, wait, rank, cancel);
        await database.Writer.SendAsync(waiter, cancel);
        using (cancel.UnsafeRegister(static state => ((QueueWaiter)state!).GiveUp(), waiter))
            return await waiter.Answered;
    }

    public Task ExtendAsync(Delivery delivery, TimeSpan hold, CancellationToken cancel) =>
        ChangeAsync(
            delivery,
            "UPDATE deliveries SET visible_at = ?3, in_flight = 1 WHERE seq = ?1 AND taken = ?2",
            hold > TimeSpan.Zero ? hold : TimeSpan.FromMicroseconds(1),
            cancel);

    public Task ReturnAsync(Delivery delivery, TimeSpan delay, CancellationToken cancel) =>
        ChangeAsync(
            delivery,
            "UPDATE deliveries SET visible_at = ?3, in_flight = 0, taken = taken + 1 WHERE seq = ?1 AND taken = ?2",
            delay,
            cancel);

    public Task CompleteAsync(Delivery delivery, CancellationToken cancel) =>
        database.ApplyAsync(
            scope =>
            {
                var (seq, taken) = ReadReceipt(delivery.Receipt);
                return scope.Prepare("DELETE FROM deliveries WHERE seq = ?1 AND taken = ?2").Bind(1, seq).Bind(2, taken).Run() > 0;
            },
            cancel);

    // Asked of the writer, as it alone knows what was answered and is not committed yet.
    public Task<QueueDepth> DepthAsync(string queue, CancellationToken cancel) =>
        database.ApplyAsync(
            scope =>
            {
                using var select = scope.Prepare("""
                    SELECT COUNT(*), COALESCE(SUM(visible_at > ?2 AND in_flight), 0) FROM deliveries WHERE queue = ?1
                    """).Bind(1, queue).Bind(2, Microseconds.Now(clock));
                select.Step();
                return new QueueDepth(select.Long(0) - select.Long(1), select.Long(1));
            },
            cancel);

    public void Dispose() => timer.Dispose();

    private static (long Seq, long Taken) ReadReceipt(string receipt)
    {
        var dash = receipt.IndexOf('-', StringComparison.Ordinal);
        return dash > 0
            && long.TryParse(receipt.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            && long.TryParse(receipt.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var taken)
            ? (seq, taken)
            : (0, 0); // Names no delivery, so it has no effect.
    }

    private Task<bool> ChangeAsync(Delivery delivery, string update, TimeSpan delay, CancellationToken cancel) =>
        database.ApplyAsync(
            scope =>
            {
                var (seq, taken) = ReadReceipt(delivery.Receipt);
                var visibleAt = VisibleAfter(delay);
                if (scope.Prepare(update).Bind(1, seq).Bind(2, taken).Bind(3, visibleAt).Run() == 0)
                    return false;
                Shown(scope, delivery.Queue, visibleAt);
                return true;
            },
            cancel);

    private long VisibleAfter(TimeSpan delay) => delay <= TimeSpan.Zero ? 0 : Microseconds.Now(clock) + Microseconds.From(delay);

    /// <summary>An id of this queue is available from <paramref name="visibleAt"/> on.</summary>
    private void Shown(WriteScope scope, string queue, long visibleAt)
    {
        if (visibleAt == 0)
            Serve(scope, queue);
        else
            Hidden(visibleAt);
    }

    private void Hidden(long visibleAt)
    {
        if (visibleAt >= nextDue)
            return;
        nextDue = visibleAt;
        SetTimer();
    }

    /// <summary>Takes an id for somebody, or puts them in line.</summary>
    private void TakeOrWait(WriteScope scope, QueueWaiter waiter)
    {
        ShowWhatIsDue(scope);
        if (waiter.IsOver || TryServe(scope, waiter, waiter.Queues))
            return;
        if (waiter.Wait <= TimeSpan.Zero && waiter.Wait != Timeout.InfiniteTimeSpan)
        {
            waiter.TryDeliver(null);
            return;
        }
        Prune();
        waiters.AddLast(waiter);
        waiter.StartWaiting(clock);
        SetTimer();
    }

    /// <summary>False when there is no id for them.</summary>
    private bool TryServe(WriteScope scope, QueueWaiter waiter, IReadOnlyCollection<string> queues)
    {
        if (Take(scope, queues, waiter.Hold) is not { } delivery)
            return false;
        if (!waiter.TryDeliver(delivery))
        {
            var (seq, taken) = ReadReceipt(delivery.Receipt);
            scope.Prepare("UPDATE deliveries SET visible_at = 0, in_flight = 0 WHERE seq = ?1 AND taken = ?2")
                .Bind(1, seq).Bind(2, taken).Run();
        }
        return true;
    }

    private Delivery? Take(WriteScope scope, IReadOnlyCollection<string> queues, TimeSpan hold)
    {
        if (First(scope, queues) is not var (seq, from))
            return null;
        turn++;

        var visibleAt = Microseconds.Now(clock) + Math.Max(1, Microseconds.From(hold));
        using var update = scope.Prepare("""
            UPDATE deliveries SET visible_at = ?2, taken = taken + 1, in_flight = 1 WHERE seq = ?1 RETURNING job, taken
            """).Bind(1, seq).Bind(2, visibleAt);
        update.Step();
#if PLANTED_BUGS
        if (PlantedBug.Is("take-without-hiding"))
            scope.Prepare("UPDATE deliveries SET visible_at = 0 WHERE seq = ?1").Bind(1, seq).Run();
#endif
        Hidden(visibleAt);
        return new Delivery(update.Id(0), from, string.Create(CultureInfo.InvariantCulture, $"{seq}-{update.Long(1)}"));
    }

    /// <summary>The id whose turn it is: of the first level of priority that has any, the oldest.</summary>
    private (long Seq, string Queue)? First(WriteScope scope, IReadOnlyCollection<string> queues)
    {
        foreach (var priority in PriorityTurns.Order(turn))
        {
            (long Seq, string Queue)? first = null;
            foreach (var queue in queues)
            {
                using var select = scope.Prepare(
                    "SELECT seq FROM deliveries WHERE visible_at = 0 AND queue = ?1 AND priority = ?2 ORDER BY seq LIMIT 1")
                    .Bind(1, queue).Bind(2, (int)priority);
                if (select.Step() && !(select.Long(0) >= first?.Seq))
                    first = (select.Long(0), queue);
            }
            if (first is not null)
                return first;
        }
        return null;
    }

    /// <summary>Makes available what has been hidden or delayed until now.</summary>
    private void ShowWhatIsDue(WriteScope scope)
    {
        var now = Microseconds.Now(clock);
        if (now < nextDue)
            return;
        scope.Prepare("""
            UPDATE deliveries SET visible_at = 0, in_flight = 0 WHERE visible_at BETWEEN 1 AND ?1
            """).Bind(1, now).Run();
        using (var select = scope.Prepare("SELECT MIN(visible_at) FROM deliveries WHERE visible_at > 0"))
            nextDue = select.Step() && select.LongOrNull(0) is { } next ? next : long.MaxValue;
        foreach (var queue in waiters.SelectMany(w => w.Queues).Distinct(StringComparer.Ordinal).ToList())
            Serve(scope, queue);
        SetTimer();
    }

    /// <summary>Hands ids of a queue to those who wait for them, the highest in rank first, of equals the longest waiting.</summary>
    private void Serve(WriteScope scope, string queue)
    {
        while (FirstInLine(queue) is { } node)
        {
            if (!TryServe(scope, node.Value, [queue]))
                return;
            waiters.Remove(node);
        }
    }

    private LinkedListNode<QueueWaiter>? FirstInLine(string queue)
    {
        LinkedListNode<QueueWaiter>? first = null;
        var highest = long.MinValue;
        for (var node = waiters.First; node is not null;)
        {
            var (waiter, here) = (node.Value, node);
            node = node.Next;
            if (waiter.IsOver)
                waiters.Remove(here);
            else if (waiter.Queues.Contains(queue, StringComparer.Ordinal) && waiter.Rank() is var rank && (first is null || rank > highest))
                (first, highest) = (here, rank);
        }
        return first;
    }

    /// <summary>Those who gave up are dropped when they are met, or here when nothing came by for long.</summary>
    private void Prune()
    {
        if (waiters.Count < pruneAt)
            return;
        for (var node = waiters.First; node is not null;)
        {
            var (waiter, next) = (node.Value, node.Next);
            if (waiter.IsOver)
                waiters.Remove(node);
            node = next;
        }
        pruneAt = Math.Max(LeastPrune, 2 * waiters.Count);
    }

    private void SetTimer()
    {
        if (waiters.Count == 0 || nextDue == timerAt)
            return;
        timerAt = nextDue;
        timer.Change(
            nextDue == long.MaxValue
                ? Timeout.InfiniteTimeSpan
                : TimeSpan.FromMicroseconds(Math.Clamp(nextDue - Microseconds.Now(clock), 0, LongestTimer)),
            Timeout.InfiniteTimeSpan);
    }

    private async Task ShowLaterAsync()
    {
        try
        {
            await database.ApplyAsync(
                scope =>
                {
                    timerAt = long.MaxValue;
                    ShowWhatIsDue(scope);
                    SetTimer();
                    return true;
                },
                CancellationToken.None);
        }
        catch (SpotterException)
        {
            // Locked by another program, or full: those in line wait on, and it is tried again until the store stops.
            timer.Change(AgainAfter, Timeout.InfiniteTimeSpan);
        }
    }

    private void FailWaiters(SpotterException reason)
    {
        foreach (var waiter in waiters)
            waiter.Fail(reason);
        waiters.Clear();
    }
}
