using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// Delivers ids from a table beside the jobs, to any number of gateways at once (<c>FOR UPDATE SKIP LOCKED</c>). Its commits
/// don't wait for the disk, since a queue may lose ids: the rows of the jobs know better.
/// </summary>
internal sealed class PostgresJobQueue : IJobQueue, IDisposable
{
    private readonly PostgresDatabase database;
    private readonly PostgresSignals signals;
    private readonly TimeProvider clock;
    private readonly TakeLine line;
    private readonly Batcher<Entry, bool> entries;
    private readonly Batcher<Change, bool> completions;
    private readonly Batcher<Change, bool> changes;
    private long turn;

    public PostgresJobQueue(PostgresDatabase database, PostgresSignals signals, TimeProvider clock)
    {
        this.database = database;
        this.signals = signals;
        this.clock = clock;
        line = new TakeLine(TakeManyAsync, GiveBackAsync, clock);
        entries = new(EnqueueManyAsync, e => e.Job);
        completions = new(CompleteManyAsync);
        changes = new(ChangeManyAsync, c => c.Job);
        signals.QueueFilled = line.Filled;
    }

    private sealed record Entry(Guid Job, string Queue, JobPriority Priority, long VisibleAt);

    private sealed record Change(Guid Job, long Receipt, long VisibleAt, bool InFlight);

    public async Task EnqueueAsync(JobId job, string queue, JobPriority priority, TimeSpan delay, CancellationToken cancel)
    {
        var visibleAt = VisibleAfter(delay);
        await entries.RunAsync(new Entry(job.ToGuid(), queue, priority, visibleAt), cancel);
        Filled(queue, visibleAt);
    }

    public Task<Delivery?> TakeAsync(IReadOnlyCollection<string> queues, TimeSpan hold, TimeSpan wait, Func<long> rank, CancellationToken cancel) =>
        line.TakeAsync(queues, hold, wait, rank, cancel);

    public async Task ExtendAsync(Delivery delivery, TimeSpan hold, CancellationToken cancel)
    {
        var visibleAt = HiddenUntil(hold);
        if (ReceiptOf(delivery) is { } receipt && await changes.RunAsync(new(delivery.Job.ToGuid(), receipt, visibleAt, InFlight: true), cancel))
            line.FilledLater(visibleAt);
    }

    public async Task ReturnAsync(Delivery delivery, TimeSpan delay, CancellationToken cancel)
    {
        var visibleAt = VisibleAfter(delay);
        if (ReceiptOf(delivery) is { } receipt && await changes.RunAsync(new(delivery.Job.ToGuid(), receipt, visibleAt, InFlight: false), cancel))
            Filled(delivery.Queue, visibleAt);
    }

    public Task CompleteAsync(Delivery delivery, CancellationToken cancel) =>
        ReceiptOf(delivery) is { } receipt
            ? completions.RunAsync(new(delivery.Job.ToGuid(), receipt, 0, InFlight: false), cancel)
            : Task.CompletedTask;

    public Task<QueueDepth> DepthAsync(string queue, CancellationToken cancel) =>
        database.ReadAsync(
            "SELECT count(*), count(*) FILTER (WHERE visible_at > $2 AND in_flight) FROM deliveries WHERE queue = $1",
            p => p.With(queue).With(Microseconds.Now(clock)),
            async r =>
            {
                await r.ReadAsync();
                return new QueueDepth(r.GetInt64(0) - r.GetInt64(1), r.GetInt64(1));
            },
            cancel);

    /// <summary>Does what waits, and takes nothing more.</summary>
    public Task StopAsync()
    {
        signals.QueueFilled = null;
        return Task.WhenAll(line.StopAsync(), entries.StopAsync(), completions.StopAsync(), changes.StopAsync());
    }

    public void Dispose() => line.Dispose();

    // A receipt that is no number names no delivery, so it has no effect.
    private static long? ReceiptOf(Delivery delivery) =>
        long.TryParse(delivery.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt) ? receipt : null;

    private long VisibleAfter(TimeSpan delay) => Microseconds.Now(clock) + Math.Max(0, Microseconds.From(delay));

    private long HiddenUntil(TimeSpan hold) => Microseconds.Now(clock) + Math.Max(1, Microseconds.From(hold));

    private void Filled(string queue, long visibleAt)
    {
        if (visibleAt > Microseconds.Now(clock))
        {
            line.FilledLater(visibleAt);
            return;
        }
        line.Filled(queue);
        signals.Filled(queue);
    }

    private async Task<(List<Delivery> Taken, long? NextDue)> TakeManyAsync(string[] queues, TimeSpan hold, int wanted)
    {
        var now = Microseconds.Now(clock);
        // The turns of all of them at once: with which level each begins.
        var begin = new int[3];
        for (var i = 0; i < wanted; i++)
            begin[(int)PriorityTurns.Order(turn + i)[0]]++;
        long? next = null;
        var rows = await database.ApplyAsync(
            "SELECT o_job, o_queue, o_receipt, o_seq, o_next FROM take_deliveries($1, $2, $3, $4, $5, $6)",
            p => p.With(queues).With(begin[(int)JobPriority.High]).With(begin[(int)JobPriority.Normal]).With(begin[(int)JobPriority.Low])
                .With(now).With(HiddenUntil(hold)),
            async r =>
            {
                var taken = new List<(long Seq, Delivery Delivery)>();
                while (await r.ReadAsync())
                {
                    if (r.LongOrNull(4) is { } due)
                        next = due;
                    else
                        taken.Add((r.GetInt64(3), new Delivery(PostgresJobRow.IdOf(r.GetGuid(0)), r.GetString(1), r.GetInt64(2).ToString(CultureInfo.InvariantCulture))));
                }
                return taken;
            });
        turn += rows.Count;
        return ([.. rows.OrderBy(r => r.Seq).Select(r => r.Delivery)], next);
    }

    private async Task GiveBackAsync(IReadOnlyList<Delivery> left)
    {
        var now = Microseconds.Now(clock);
        await ChangeManyAsync([.. left.Select(d => new Change(d.Job.ToGuid(), ReceiptOf(d)!.Value, now, InFlight: false))]);
        foreach (var queue in left.Select(d => d.Queue).Distinct(StringComparer.Ordinal))
            Filled(queue, now);
    }

    private Task<bool[]> EnqueueManyAsync(IReadOnlyList<Entry> items) =>
        database.ApplyAsync(
            """
            INSERT INTO deliveries AS d (job, queue, priority, visible_at)
            SELECT i.job, i.queue, i.priority, i.visible_at
            FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[]) WITH ORDINALITY AS i (job, queue, priority, visible_at, ord) ORDER BY i.ord
            -- An id that is there already keeps its place. If it is out, whoever holds it has lost it.
            ON CONFLICT (job) DO UPDATE SET
                visible_at = CASE WHEN d.in_flight THEN excluded.visible_at ELSE least(d.visible_at, excluded.visible_at) END,
                queue = excluded.queue, priority = excluded.priority, receipt = nextval('receipts'), in_flight = false
            """,
            p => p.With(Column(items, i => i.Job)).With(Column(items, i => i.Queue)).With(Column(items, i => (short)i.Priority)).With(Column(items, i => i.VisibleAt)),
            _ => Task.FromResult(Column(items, _ => true)));

    private Task<bool[]> CompleteManyAsync(IReadOnlyList<Change> items) =>
        database.ApplyAsync(
            "DELETE FROM deliveries d USING unnest($1::uuid[], $2::bigint[]) AS i (job, receipt) WHERE d.job = i.job AND d.receipt = i.receipt",
            p => p.With(Column(items, i => i.Job)).With(Column(items, i => i.Receipt)),
            _ => Task.FromResult(Column(items, _ => true)));

    private Task<bool[]> ChangeManyAsync(IReadOnlyList<Change> items) =>
        database.ApplyAsync(
            """
            UPDATE deliveries d SET visible_at = i.visible_at, in_flight = i.in_flight,
                receipt = CASE WHEN i.in_flight THEN d.receipt ELSE nextval('receipts') END
            FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[]) WITH ORDINALITY AS i (job, receipt, visible_at, in_flight, ord)
            WHERE d.job = i.job AND d.receipt = i.receipt RETURNING i.ord
            """,
            p => p.With(Column(items, i => i.Job)).With(Column(items, i => i.Receipt)).With(Column(items, i => i.VisibleAt)).With(Column(items, i => i.InFlight)),
            async r =>
            {
                var changed = new bool[items.Count];
                while (await r.ReadAsync())
                    changed[r.GetInt64(0) - 1] = true;
                return changed;
            });

    private static TValue[] Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value) => [.. items.Select(value)];
}
