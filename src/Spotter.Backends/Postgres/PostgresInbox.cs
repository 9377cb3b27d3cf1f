using System.Globalization;
using Npgsql;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The inbox in the database. Only the first message of a conversation that is to be dealt with has a time at which it is due.
/// Gateways that change the same conversation do so one after another, by an advisory lock on it. A receipt is the moment at
/// which a lease ends unless it is extended.
/// </summary>
internal sealed class PostgresInbox(PostgresDatabase database, TimeProvider clock) : IInbox
{
    // In one order, so that two that lock several don't wait for each other.
    private const string Lock =
        "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended($1 || chr(10) || c, 0) AS k FROM unnest($2::text[]) AS c ORDER BY k) AS locks";

    private const string Next = """
        UPDATE inbox i SET due = greatest(i.ready, coalesce((SELECT until FROM inbox_holds h WHERE h.box = $1 AND h.conversation = c.name), 0))
        FROM (SELECT DISTINCT name FROM unnest($2::text[]) AS name) AS c
        WHERE i.seq = (SELECT f.seq FROM inbox f WHERE f.box = $1 AND f.conversation = c.name AND NOT f.ended ORDER BY f.seq LIMIT 1) AND i.due IS NULL
        """;

    private readonly WakeList wakes = new();

    public async Task<int> AddAsync(string box, IReadOnlyList<InboxMessage> messages, CancellationToken cancel)
    {
        if (messages.Count == 0)
            return 0;
        var now = Microseconds.Now(clock);
        var (ids, conversations) = (messages.Select(m => m.Id).ToArray(), messages.Select(m => m.Conversation).ToArray());
        var added = await database.TransactAsync(
            async connection =>
            {
                await RunAsync(connection, Lock, p => p.With(box).With(conversations));
                var rows = await PostgresDatabase.RunAsync(
                    connection,
                    """
                    INSERT INTO inbox (box, id, conversation, batch, body, received, ready)
                    SELECT $1, n.id, n.conversation, n.batch, n.body, $7, $7 + n.delay
                    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) WITH ORDINALITY AS n (id, conversation, batch, body, delay, nr) ORDER BY nr
                    ON CONFLICT (box, id) DO NOTHING RETURNING id
                    """,
                    p => p.With(box).With(ids).With(conversations).With(messages.Select(m => m.Batch).ToArray())
                        .With(messages.Select(m => m.Body).ToArray()).With(messages.Select(m => Microseconds.From(m.Delay)).ToArray()).With(now),
                    r => r.ListAsync(row => row.GetString(0)));
                if (rows.Count == 0)
                    return 0;
                await RunAsync(
                    connection,
                    """
                    UPDATE inbox i SET ready = greatest(i.ready, n.ready), due = CASE WHEN i.receipt IS NULL AND i.due IS NOT NULL THEN greatest(i.due, n.ready) ELSE i.due END
                    FROM (SELECT conversation, batch, max(ready) AS ready FROM inbox WHERE box = $1 AND id = ANY ($2) AND batch IS NOT NULL GROUP BY 1, 2) AS n
                    WHERE i.box = $1 AND i.batch = n.batch AND i.conversation = n.conversation AND NOT i.ended
                    """,
                    p => p.With(box).With(rows.ToArray()));
                await RunAsync(connection, Next, p => p.With(box).With(conversations));
                return rows.Count;
            },
            cancel);
        if (added > 0)
            wakes.Wake();
        return added;
    }

    public async Task<IReadOnlyList<InboxEntry>> TakeAsync(string box, int limit, TimeSpan lease, CancellationToken cancel)
    {
        var now = Microseconds.Now(clock);
        var until = now + Math.Max(1, Microseconds.From(lease));
        var taken = await database.WriteAsync(
            """
            WITH due AS MATERIALIZED (
                SELECT seq, due FROM inbox WHERE box = $1 AND due <= $2 ORDER BY due, seq LIMIT $3 FOR UPDATE SKIP LOCKED)
            UPDATE inbox i SET due = $4, receipt = $4 FROM due WHERE i.seq = due.seq
            RETURNING i.id, i.conversation, i.batch, i.body, i.attempts, i.notes, due.due, i.seq, i.received
            """,
            p => p.With(box).With(now).With((long)Math.Max(0, limit)).With(until),
            r => r.ListAsync(row => (Due: row.GetInt64(6), Seq: row.GetInt64(7), Entry: new InboxEntry(
                box, row.GetString(1), [new InboxMessage(row.GetString(0), row.GetString(1), row.GetString(3)) { Batch = row.TextOrNull(2) }],
                row.GetInt32(4) + 1, row.TextOrNull(5), until.ToString(CultureInfo.InvariantCulture)) { Received = Microseconds.ToTime(row.GetInt64(8)) })),
            cancel);
        var entries = new List<InboxEntry>(taken.Count);
        foreach (var (_, _, entry) in taken.OrderBy(t => t.Due).ThenBy(t => t.Seq))
            entries.Add(entry.Messages[0].Batch is { } batch ? await WithBatchAsync(entry, batch, cancel) : entry);
        return entries;
    }

    public Task<bool> ExtendAsync(InboxEntry entry, TimeSpan lease, CancellationToken cancel) =>
        AnyAsync(
            "UPDATE inbox SET due = $4 WHERE box = $1 AND id = $2 AND receipt = $3 RETURNING id",
            p => p.With(entry.Box).With(entry.Id).WithLong(ReceiptOf(entry)).With(Microseconds.Now(clock) + Math.Max(1, Microseconds.From(lease))), cancel);

    public Task<bool> NoteAsync(InboxEntry entry, string notes, CancellationToken cancel) =>
        AnyAsync(
            "UPDATE inbox SET notes = $4 WHERE box = $1 AND id = $2 AND receipt = $3 RETURNING id",
            p => p.With(entry.Box).With(entry.Id).WithLong(ReceiptOf(entry)).With(notes), cancel);

    public async Task SettleAsync(InboxEntry entry, InboxOutcome outcome, CancellationToken cancel)
    {
        var (ends, delay, attempts) = outcome.Record;
        var due = Microseconds.Now(clock) + Microseconds.From(delay);
        await database.TransactAsync(
            async connection =>
            {
                string[] conversation = [entry.Conversation];
                await RunAsync(connection, Lock, p => p.With(entry.Box).With(conversation));
                var settled = await PostgresDatabase.RunAsync(
                    connection,
                    """
                    UPDATE inbox SET ended = $4, attempts = attempts + $5, receipt = NULL,
                        due = CASE WHEN $4 THEN NULL ELSE greatest($6, coalesce((SELECT until FROM inbox_holds h WHERE h.box = $1 AND h.conversation = inbox.conversation), 0)) END
                    WHERE box = $1 AND id = $2 AND receipt = $3 RETURNING id
                    """,
                    p => p.With(entry.Box).With(entry.Id).WithLong(ReceiptOf(entry)).With(ends).With(attempts).With(due),
                    r => r.ListAsync(row => row.GetString(0)));
                if (settled.Count == 0 || !ends)
                    return false;
                // What was said is nobody's business any more, unless more of its batch may come.
                await RunAsync(
                    connection, "UPDATE inbox SET ended = true, due = NULL, body = CASE WHEN batch IS NULL THEN '' ELSE body END WHERE box = $1 AND id = ANY ($2)",
                    p => p.With(entry.Box).With(entry.Messages.Select(m => m.Id).ToArray()));
                await RunAsync(connection, Next, p => p.With(entry.Box).With(conversation));
                return true;
            },
            cancel);
    }

    public Task HoldAsync(string box, string conversation, DateTimeOffset until, CancellationToken cancel) =>
        database.TransactAsync(
            async connection =>
            {
                await RunAsync(connection, Lock, p => p.With(box).With<string[]>([conversation]));
                await RunAsync(
                    connection,
                    """
                    INSERT INTO inbox_holds AS h (box, conversation, until) VALUES ($1, $2, $3)
                    ON CONFLICT (box, conversation) DO UPDATE SET until = greatest(h.until, excluded.until)
                    """,
                    p => p.With(box).With(conversation).With(Microseconds.From(until)));
                // What is leased is under way already.
                await RunAsync(
                    connection,
                    "UPDATE inbox SET due = greatest(due, $3) WHERE box = $1 AND conversation = $2 AND NOT ended AND due IS NOT NULL AND receipt IS NULL",
                    p => p.With(box).With(conversation).With(Microseconds.From(until)));
                return true;
            },
            cancel);

    public async Task<DateTimeOffset?> HeldUntilAsync(string box, string conversation, CancellationToken cancel) =>
        await database.ReadAsync(
            "SELECT until FROM inbox_holds WHERE box = $1 AND conversation = $2 AND until > $3", p => p.With(box).With(conversation).With(Microseconds.Now(clock)),
            r => r.ListAsync(row => row.GetInt64(0)), cancel) is [var until] ? Microseconds.ToTime(until) : null;

    public Task<bool> ClaimAsync(string box, string message, string claimant, CancellationToken cancel) =>
        AnyAsync(
            "UPDATE inbox SET claimant = $3 WHERE box = $1 AND id = $2 AND (claimant IS NULL OR claimant = $3) RETURNING id",
            p => p.With(box).With(message).With(claimant), cancel);

    public Task<long> PendingAsync(string box, string? conversation, CancellationToken cancel) =>
        database.ReadAsync(
            $"SELECT count(*) FROM (SELECT 1 FROM inbox WHERE box = $1 {(conversation is null ? "" : "AND conversation = $2")} AND NOT ended LIMIT {IInbox.MostCounted}) AS pending",
            p =>
            {
                p.With(box);
                if (conversation is not null)
                    p.With(conversation);
            },
            async r => await r.ReadAsync() ? r.GetInt64(0) : 0, cancel);

    public async Task<int> ForgetAsync(DateTimeOffset receivedBefore, int limit, CancellationToken cancel)
    {
        await database.WriteAsync("DELETE FROM inbox_holds WHERE until <= $1", p => p.With(Microseconds.Now(clock)), _ => Task.FromResult(true), cancel);
        var deleted = await database.WriteAsync(
            "DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE ended AND received < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING seq",
            p => p.With(Microseconds.From(receivedBefore)).With((long)limit), r => r.ListAsync(row => row.GetInt64(0)), cancel);
        return deleted.Count;
    }

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    private static long? ReceiptOf(InboxEntry entry) =>
        // One that is no number names no lease, so it has no effect.
        long.TryParse(entry.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt) ? receipt : null;

    private static Task RunAsync(NpgsqlConnection connection, string sql, Action<NpgsqlParameterCollection> bind) =>
        PostgresDatabase.RunAsync(connection, sql, bind, _ => Task.FromResult(true));

    private async Task<bool> AnyAsync(string sql, Action<NpgsqlParameterCollection> bind, CancellationToken cancel) =>
        await database.WriteAsync(sql, bind, r => r.ListAsync(row => row.GetString(0)), cancel) is { Count: > 0 };

    private async Task<InboxEntry> WithBatchAsync(InboxEntry entry, string batch, CancellationToken cancel)
    {
        var all = await database.ReadAsync(
            "SELECT id, body, ended FROM inbox WHERE box = $1 AND batch = $2 AND conversation = $3 ORDER BY seq",
            p => p.With(entry.Box).With(batch).With(entry.Conversation),
            r => r.ListAsync(row => (Ended: row.GetBoolean(2), Message: new InboxMessage(row.GetString(0), entry.Conversation, row.GetString(1)) { Batch = batch })), cancel);
        return entry with { Messages = [.. all.Where(m => !m.Ended).Select(m => m.Message)], Earlier = [.. all.Where(m => m.Ended).Select(m => m.Message)] };
    }
}
