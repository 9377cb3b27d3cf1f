using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// The inbox in the same file as the jobs. Only the first message of a conversation that is to be dealt with has a time at which
/// it is due, so taking looks at nothing that waits behind another one. A receipt is the moment at which a lease ends unless it is extended.
/// </summary>
internal sealed partial class SqliteInbox(SqliteDatabase database, TimeProvider clock) : IInbox
{
    private const string Due = "SELECT seq, id, conversation, batch, body, attempts, notes, received FROM inbox INDEXED BY inbox_due WHERE box = ?1 AND due <= ?2 ORDER BY due, seq LIMIT ?3";

    private readonly WakeList wakes = new();

    public async Task<int> AddAsync(string box, IReadOnlyList<InboxMessage> messages, CancellationToken cancel)
    {
        var added = await database.CommitAsync(scope => messages.Count(message => Add(scope, box, message)), cancel);
        if (added > 0)
            wakes.Wake();
        return added;
    }

    public async Task<IReadOnlyList<InboxEntry>> TakeAsync(string box, int limit, TimeSpan lease, CancellationToken cancel)
    {
        // Most of the time nothing is due, and the writer need not be asked to find that out.
        if (limit <= 0 || !await database.ReadAsync(connection => Any(connection.Prepare(Due), box), cancel))
            return [];
        return await database.CommitAsync(scope => Take(scope, box, limit, lease), cancel);
    }

    // Whoever asks does so again soon, so it need not be durable.
    public Task<bool> ExtendAsync(InboxEntry entry, TimeSpan lease, CancellationToken cancel) =>
        database.ApplyAsync(
            scope => scope.Prepare("UPDATE inbox SET due = ?4 WHERE box = ?1 AND id = ?2 AND receipt = ?3")
                .Bind(1, entry.Box).Bind(2, entry.Id).Bind(3, ReceiptOf(entry)).Bind(4, Microseconds.Now(clock) + Math.Max(1, Microseconds.From(lease))).Run() > 0,
            cancel);

    public Task<bool> NoteAsync(InboxEntry entry, string notes, CancellationToken cancel) =>
        database.CommitAsync(
            scope => scope.Prepare("UPDATE inbox SET notes = ?4 WHERE box = ?1 AND id = ?2 AND receipt = ?3")
                .Bind(1, entry.Box).Bind(2, entry.Id).Bind(3, ReceiptOf(entry)).Bind(4, notes).Run() > 0,
            cancel);

    public Task SettleAsync(InboxEntry entry, InboxOutcome outcome, CancellationToken cancel) =>
        database.CommitAsync(scope => Settle(scope, entry, outcome), cancel);

    public Task HoldAsync(string box, string conversation, DateTimeOffset until, CancellationToken cancel) =>
        database.CommitAsync(
            scope =>
            {
                scope.Prepare("DELETE FROM inbox_holds WHERE box = ?1 AND until <= ?2").Bind(1, box).Bind(2, Microseconds.Now(clock)).Run();
                scope.Prepare("""
                    INSERT INTO inbox_holds (box, conversation, until) VALUES (?1, ?2, ?3)
                    ON CONFLICT (box, conversation) DO UPDATE SET until = max(until, excluded.until)
                    """).Bind(1, box).Bind(2, conversation).Bind(3, Microseconds.From(until)).Run();
                // What is leased is under way already.
                scope.Prepare("UPDATE inbox SET due = max(due, ?3) WHERE box = ?1 AND conversation = ?2 AND ended = 0 AND due IS NOT NULL AND receipt IS NULL")
                    .Bind(1, box).Bind(2, conversation).Bind(3, Microseconds.From(until)).Run();
                return true;
            },
            cancel);

    public Task<DateTimeOffset?> HeldUntilAsync(string box, string conversation, CancellationToken cancel) =>
        database.ReadAsync<DateTimeOffset?>(
            connection =>
            {
                using var select = connection.Prepare("SELECT until FROM inbox_holds WHERE box = ?1 AND conversation = ?2 AND until > ?3")
                    .Bind(1, box).Bind(2, conversation).Bind(3, Microseconds.Now(clock));
                return select.Step() ? Microseconds.ToTime(select.Long(0)) : null;
            },
            cancel);

    public Task<bool> ClaimAsync(string box, string message, string claimant, CancellationToken cancel) =>
        database.CommitAsync(
            scope => scope.Prepare("UPDATE inbox SET claimant = ?3 WHERE box = ?1 AND id = ?2 AND (claimant IS NULL OR claimant = ?3)")
                .Bind(1, box).Bind(2, message).Bind(3, claimant).Run() > 0,
            cancel);

    public Task<long> PendingAsync(string box, string? conversation, CancellationToken cancel) =>
        database.ReadAsync(
            connection =>
            {
                var only = conversation is null ? "" : "AND conversation = ?2";
                using var select = connection.Prepare($"SELECT COUNT(*) FROM (SELECT 1 FROM inbox INDEXED BY inbox_waiting WHERE box = ?1 {only} AND ended = 0 LIMIT {IInbox.MostCounted})").Bind(1, box);
                if (conversation is not null)
                    select.Bind(2, conversation);
                return select.Step() ? select.Long(0) : 0;
            },
            cancel);

    public Task<int> ForgetAsync(DateTimeOffset receivedBefore, int limit, CancellationToken cancel) =>
        database.CommitAsync(
            scope => scope.Prepare("DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox INDEXED BY inbox_ended WHERE ended = 1 AND received < ?1 LIMIT ?2)")
                .Bind(1, Microseconds.From(receivedBefore)).Bind(2, limit).Run(),
            cancel);

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    private static long? ReceiptOf(InboxEntry entry) =>
        // One that is no number names no lease, so it has no effect.
        long.TryParse(entry.Receipt, NumberStyles.None, CultureInfo.InvariantCulture, out var receipt) ? receipt : null;

    private bool Add(WriteScope scope, string box, InboxMessage message)
    {
        var now = Microseconds.Now(clock);
        var ready = now + Microseconds.From(message.Delay);
        var added = scope.Prepare("""
            INSERT INTO inbox (box, id, conversation, batch, body, received, ready) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (box, id) DO NOTHING
            """).Bind(1, box).Bind(2, message.Id).Bind(3, message.Conversation).Bind(4, message.Batch).Bind(5, message.Body).Bind(6, now).Bind(7, ready).Run() > 0;
        if (!added)
            return false;
        if (message.Batch is { } batch)
        {
            scope.Prepare("""
                UPDATE inbox SET ready = max(ready, ?4), due = CASE WHEN receipt IS NULL THEN max(due, ?4) ELSE due END
                WHERE box = ?1 AND conversation = ?2 AND ended = 0 AND batch = ?3
                """).Bind(1, box).Bind(2, message.Conversation).Bind(3, batch).Bind(4, ready).Run();
        }
        Next(scope, box, message.Conversation);
        return true;
    }

    /// <summary>Sees to it that the first message of a conversation is due some time.</summary>
    private static void Next(WriteScope scope, string box, string conversation) =>
        scope.Prepare("""
            UPDATE inbox SET due = max(ready, coalesce((SELECT until FROM inbox_holds WHERE box = ?1 AND conversation = ?2), 0))
            WHERE seq = (SELECT seq FROM inbox INDEXED BY inbox_waiting WHERE box = ?1 AND conversation = ?2 AND ended = 0 ORDER BY seq LIMIT 1) AND due IS NULL
            """).Bind(1, box).Bind(2, conversation).Run();

    private bool Any(SqliteStatement due, string box)
    {
        using (due)
            return due.Bind(1, box).Bind(2, Microseconds.Now(clock)).Bind(3, 1).Step();
    }

    private IReadOnlyList<InboxEntry> Take(WriteScope scope, string box, int limit, TimeSpan lease)
    {
        var now = Microseconds.Now(clock);
        var until = now + Math.Max(1, Microseconds.From(lease));
        var taken = new List<(InboxEntry Entry, string? Batch)>();
        using (var select = scope.Prepare(Due).Bind(1, box).Bind(2, now).Bind(3, limit))
        {
            while (select.Step())
            {
                var message = new InboxMessage(select.Text(1), select.Text(2), select.Text(4)) { Batch = select.TextOrNull(3) };
                taken.Add((new InboxEntry(
                    box, message.Conversation, [message], select.Int(5) + 1, select.TextOrNull(6), until.ToString(CultureInfo.InvariantCulture)) { Received = Microseconds.ToTime(select.Long(7)) }, message.Batch));
            }
        }
        foreach (var (entry, _) in taken)
            scope.Prepare("UPDATE inbox SET due = ?3, receipt = ?3 WHERE box = ?1 AND id = ?2").Bind(1, box).Bind(2, entry.Id).Bind(3, until).Run();
        return [.. taken.Select(t => t.Batch is null ? t.Entry : t.Entry with
        {
            Messages = BatchOf(scope, t.Entry, t.Batch, ended: false),
            Earlier = BatchOf(scope, t.Entry, t.Batch, ended: true),
        })];
    }

    private static List<InboxMessage> BatchOf(WriteScope scope, InboxEntry entry, string batch, bool ended)
    {
        var messages = new List<InboxMessage>();
        using var select = scope.Prepare("SELECT id, body FROM inbox INDEXED BY inbox_batch WHERE box = ?1 AND batch = ?2 AND conversation = ?3 AND ended = ?4 ORDER BY seq")
            .Bind(1, entry.Box).Bind(2, batch).Bind(3, entry.Conversation).Bind(4, ended ? 1 : 0);
        while (select.Step())
            messages.Add(new InboxMessage(select.Text(0), entry.Conversation, select.Text(1)) { Batch = batch });
        return messages;
    }

    private bool Settle(WriteScope scope, InboxEntry entry, InboxOutcome outcome)
    {
        var (ends, delay, attempts) = outcome.Record;
        var changed = scope.Prepare("""
            UPDATE inbox SET ended = ?4, attempts = attempts + ?5, receipt = NULL,
                due = CASE ?4 WHEN 1 THEN NULL ELSE max(?6, coalesce((SELECT until FROM inbox_holds h WHERE h.box = ?1 AND h.conversation = inbox.conversation), 0)) END
            WHERE box = ?1 AND id = ?2 AND receipt = ?3
            """).Bind(1, entry.Box).Bind(2, entry.Id).Bind(3, ReceiptOf(entry)).Bind(4, ends ? 1 : 0).Bind(5, attempts)
            .Bind(6, Microseconds.Now(clock) + Microseconds.From(delay)).Run() > 0;
        if (!changed || !ends)
            return changed;
        scope.Prepare("UPDATE inbox SET ended = 1, due = NULL WHERE box = ?1 AND id IN (SELECT value FROM json_each(?2))")
            .Bind(1, entry.Box).BindText(2, JsonSerializer.SerializeToUtf8Bytes([.. entry.Messages.Select(m => m.Id)], InboxJson.Default.StringArray).AsSpan()).Run();
        // What was said is nobody's business any more, unless more of its batch may come.
        scope.Prepare("UPDATE inbox SET body = '' WHERE box = ?1 AND id = ?2 AND batch IS NULL").Bind(1, entry.Box).Bind(2, entry.Id).Run();
        Next(scope, entry.Box, entry.Conversation);
        return true;
    }

    [JsonSerializable(typeof(string[]))]
    private sealed partial class InboxJson : JsonSerializerContext;
}
