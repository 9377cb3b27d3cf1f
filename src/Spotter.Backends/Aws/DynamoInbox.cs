using System.Text;
using Amazon.DynamoDBv2.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// The inbox in the same table as the jobs. Of each conversation there is one item, a document (<see cref="InboxConversation"/>) that is
/// written anew if nobody else did meanwhile. In the same transaction go the messages themselves; an item under the time at which
/// the conversation is due, with how many wait; and for each message that was dealt with one under the time at which it came.
/// </summary>
internal sealed class DynamoInbox(DynamoTable table, TimeProvider clock) : IInbox
{
    private const string Past = "inboxpast";
    private const int MostTries = 30;
    private const int MostTriesToTake = 3;
    private const int AtOnce = 8;

    // A transaction has at most 100 items and 4 MB; an item 400 KB. Three items are the conversation's.
    private const int MostAdded = DynamoTable.MostTransacted - 10;
    private const int MostBytesAdded = 2_000_000;
    private const int MostBytes = 390_000;

    private readonly WakeList wakes = new();
    private readonly QuietTimes quiet = new();

    // Conversations share them. What this gateway does with one goes one after another, so that only other gateways get in its way.
    private readonly SemaphoreSlim[] turns = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    public async Task<int> AddAsync(string box, IReadOnlyList<InboxMessage> messages, CancellationToken cancel)
    {
        var added = 0;
        try
        {
            // Those of one conversation one after another, so that they keep their order.
            await Parallel.ForEachAsync(
                messages.DistinctBy(m => m.Id, StringComparer.Ordinal).GroupBy(m => m.Conversation, StringComparer.Ordinal), ManyAtOnce(cancel), async (group, stop) =>
                {
                    foreach (var some in ChunksOf(group))
                        Interlocked.Add(ref added, await AddAsync(box, group.Key, some, stop));
                });
        }
        finally
        {
            if (added > 0)
            {
                quiet.Reset();
                wakes.Wake();
            }
        }
        return added;
    }

    public async Task<IReadOnlyList<InboxEntry>> TakeAsync(string box, int limit, TimeSpan lease, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (limit <= 0 || quiet.IsQuiet(box, now, out var asOf))
            return [];
        // What is not due yet comes last, and says when to look again.
        var first = await table.QueryAsync(new ItemQuery(DuePartition(box)) { Limit = limit }, cancel);
        var due = first.Where(item => Value.TimeOf(item["sk"].S) <= now).ToList();
        if (due.Count == 0)
            quiet.Rest(box, now, first.Count > 0 ? Value.TimeOf(first[0]["sk"].S) : null, asOf);
        return [.. (await Task.WhenAll(due.Select(item => LeaseAsync(box, item["conversation"].S, lease)))).OfType<InboxEntry>()];
    }

    public Task<bool> ExtendAsync(InboxEntry entry, TimeSpan lease, CancellationToken cancel) =>
        ChangeAsync(entry.Box, entry.Conversation, old => old.Extend(entry, EndOf(lease)), cancel);

    public Task<bool> NoteAsync(InboxEntry entry, string notes, CancellationToken cancel) =>
        ChangeAsync(entry.Box, entry.Conversation, old => old.Note(entry, notes), cancel);

    public async Task SettleAsync(InboxEntry entry, InboxOutcome outcome, CancellationToken cancel)
    {
        await ChangeAsync(
            entry.Box, entry.Conversation,
            old => Task.FromResult(old.Settle(entry, outcome, Now) is { } next ? new Step(next, [.. old.Waiting.Except(next.Waiting).SelectMany(m => EndsOf(entry, m))]) : null),
            cancel);
        quiet.Reset();
    }

    public Task HoldAsync(string box, string conversation, DateTimeOffset until, CancellationToken cancel) =>
        ChangeAsync(box, conversation, old => old.Hold(Microseconds.From(until), Now), cancel);

    public async Task<DateTimeOffset?> HeldUntilAsync(string box, string conversation, CancellationToken cancel) =>
        ReadOf(await table.GetAsync(KeyOf(box, conversation), cancel)).HeldUntil is var until && until > Now ? Microseconds.ToTime(until) : null;

    public Task<bool> ClaimAsync(string box, string message, string claimant, CancellationToken cancel) =>
        table.UpdateAsync(
            MessageKey(box, message), "SET claimant = :claimant", new(StringComparer.Ordinal) { [":claimant"] = Value.Of(claimant) },
            "attribute_exists(pk) AND (attribute_not_exists(claimant) OR claimant = :claimant)", cancel);

    public async Task<long> PendingAsync(string box, string? conversation, CancellationToken cancel)
    {
        if (conversation is not null)
            return ReadOf(await table.GetAsync(KeyOf(box, conversation), cancel)).Waiting.Count;
        // Each has at least one.
        var due = await table.QueryAsync(new ItemQuery(DuePartition(box)) { Limit = IInbox.MostCounted }, cancel);
        return Math.Min(IInbox.MostCounted, due.Sum(item => item.Number("waiting")));
    }

    public async Task<int> ForgetAsync(DateTimeOffset receivedBefore, int limit, CancellationToken cancel)
    {
        if (limit <= 0)
            return 0;
        var past = await table.QueryAsync(new ItemQuery(Past) { To = Value.Sortable(receivedBefore), Limit = limit }, cancel);
        var forgotten = 0;
        await Parallel.ForEachAsync(past.GroupBy(item => (Box: item["box"].S, Conversation: item["conversation"].S)), ManyAtOnce(cancel), async (group, stop) =>
        {
            var ids = group.Select(item => item["id"].S).ToHashSet(StringComparer.Ordinal);
            await ChangeAsync(group.Key.Box, group.Key.Conversation, old => old.Forget(ids, Now), stop);
            foreach (var item in group)
            {
                // Another gateway may have forgotten it already, and it may have come again.
                if (await table.DeleteIfAsync(
                    MessageKey(group.Key.Box, item["id"].S), "attribute_exists(ended) AND received = :received", new(StringComparer.Ordinal) { [":received"] = item["received"] }, stop))
                    Interlocked.Increment(ref forgotten);
            }
            await table.WriteAllAsync([], group.Select(item => ItemKey.Of(item)), stop);
        });
        return forgotten;
    }

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    private long Now => Microseconds.Now(clock);

    private long EndOf(TimeSpan lease) => Now + Math.Max(1, Microseconds.From(lease));

    private async Task<int> AddAsync(string box, string conversation, List<InboxMessage> messages, CancellationToken cancel)
    {
        List<InboxMessage> added = [];
        await ChangeAsync(
            box, conversation,
            async old =>
            {
                var known = (await table.GetAllAsync(messages.Select(m => MessageKey(box, m.Id)), cancel)).Select(item => item["sk"].S).ToHashSet(StringComparer.Ordinal);
                added = [.. messages.Where(m => !known.Contains(m.Id))];
                var now = Now;
                return added.Count == 0 ? null : new Step(old.Add(added, now), [.. added.Select(m => New(box, m, now))]);
            },
            cancel);
        return added.Count;
    }

    private async Task<InboxEntry?> LeaseAsync(string box, string conversation, TimeSpan lease)
    {
        InboxConversation? taken = null;
        var receipt = RandomSource.System.NextHex(8);
        // One that is changed all the time is due at the next look, too.
        var isTaken = await TryChangeAsync(
            box, conversation, old => Task.FromResult((taken = old.Take(Now, EndOf(lease), receipt)) is { } next ? new Step(next, []) : null), MostTriesToTake, CancellationToken.None);
        if (isTaken is not true || taken is null)
            return null;
        var (together, earlier) = (taken.Together.ToList(), taken.Earlier.ToList());
        var bodies = (await table.GetAllAsync(together.Select(m => m.Id).Concat(earlier.Select(m => m.Id)).Select(id => MessageKey(box, id)), CancellationToken.None))
            .ToDictionary(item => item["sk"].S, item => item["body"].S, StringComparer.Ordinal);
        return new InboxEntry(
            box, conversation, [.. together.Select(m => new InboxMessage(m.Id, conversation, bodies.GetValueOrDefault(m.Id, "")) { Batch = m.Batch })],
            taken.Attempts + 1, taken.Notes, receipt)
        {
            Received = Microseconds.ToTime(together[0].Received),
            // Some may have been forgotten this moment.
            Earlier = [.. earlier.Where(m => bodies.ContainsKey(m.Id)).Select(m => new InboxMessage(m.Id, conversation, bodies[m.Id]) { Batch = m.Batch })],
        };
    }

    private Task<bool> ChangeAsync(string box, string conversation, Func<InboxConversation, InboxConversation?> decide, CancellationToken cancel) =>
        ChangeAsync(box, conversation, old => Task.FromResult(decide(old) is { } next ? new Step(next, []) : null), cancel);

    private async Task<bool> ChangeAsync(string box, string conversation, Func<InboxConversation, Task<Step?>> decide, CancellationToken cancel) =>
        await TryChangeAsync(box, conversation, decide, MostTries, cancel)
        ?? throw new SpotterException(ErrorCodes.Busy, "Other gateways change the same conversation of the inbox all the time; try again in some seconds.");

    /// <summary>
    /// Reads a conversation, has it decided, and writes that; all over again when something of it was written meanwhile. False when
    /// there is nothing to change, null when it has been tried too often.
    /// </summary>
    private async Task<bool?> TryChangeAsync(string box, string conversation, Func<InboxConversation, Task<Step?>> decide, int tries, CancellationToken cancel)
    {
        var turn = turns[(uint)HashCode.Combine(box, conversation) % turns.Length];
        await turn.WaitAsync(cancel);
        try
        {
            for (var tried = 0; tried < tries; tried++)
            {
                if (tried > 0)
                    await Task.Delay(TimeSpan.FromMilliseconds(RandomSource.System.NextDouble() * 20 * (1 << Math.Min(tried, 4))), TimeProvider.System, cancel);
                var there = await table.GetAsync(KeyOf(box, conversation), cancel);
                var old = ReadOf(there);
                if (await decide(old) is not { } step)
                    return false;
                if (await table.TransactAsync([Written(box, conversation, there, step.Next), .. DueOf(box, conversation, old, step.Next), .. step.Also], cancel) is null)
                    return true;
            }
            return null;
        }
        finally
        {
            turn.Release();
        }
    }

    private TransactWriteItem Written(string box, string conversation, Dictionary<string, AttributeValue>? there, InboxConversation next)
    {
        // Random, so that one that was deleted and made anew is not taken for what it was.
        const string Version = "v";
        var condition = there is null ? "attribute_not_exists(pk)" : $"{Version} = :v";
        var values = there is null ? null : new Dictionary<string, AttributeValue>(StringComparer.Ordinal) { [":v"] = there[Version] };
        var item = KeyOf(box, conversation).ToItem();
        if (next.IsEmpty(Now))
            return new() { Delete = new Delete { Key = item, ConditionExpression = condition, ExpressionAttributeValues = values } };
        item[Version] = Value.Of(RandomSource.System.NextHex(8));
        item["doc"] = Value.Of(next.Write());
        return new() { Put = new Put { Item = item, ConditionExpression = condition, ExpressionAttributeValues = values } };
    }

    private static IEnumerable<TransactWriteItem> DueOf(string box, string conversation, InboxConversation old, InboxConversation next)
    {
        if (old.Waiting.Count > 0 && (next.Waiting.Count == 0 || next.Due != old.Due))
            yield return new() { Delete = new Delete { Key = DueKey(box, conversation, old.Due).ToItem() } };
        if (next.Waiting.Count == 0 || (next.Due == old.Due && next.Waiting.Count == old.Waiting.Count))
            yield break;
        var item = DueKey(box, conversation, next.Due).ToItem();
        item["conversation"] = Value.Of(conversation);
        item["waiting"] = Value.Of(next.Waiting.Count);
        yield return new() { Put = new Put { Item = item } };
    }

    private static TransactWriteItem New(string box, InboxMessage message, long now)
    {
        var item = MessageKey(box, message.Id).ToItem();
        item["body"] = Value.Of(message.Body);
        item["received"] = Value.Of(now);
        return new() { Put = new Put { Item = item, ConditionExpression = "attribute_not_exists(pk)" } };
    }

    private static IEnumerable<TransactWriteItem> EndsOf(InboxEntry entry, WaitingMessage message)
    {
        var update = new Update
        {
            Key = MessageKey(entry.Box, message.Id).ToItem(), UpdateExpression = "SET ended = :ended",
            ExpressionAttributeValues = new(StringComparer.Ordinal) { [":ended"] = Value.Of(1) },
        };
        // What was said is nobody's business any more, unless more of its batch may come.
        if (message.Batch is null)
        {
            update.UpdateExpression += ", body = :nothing";
            update.ExpressionAttributeValues[":nothing"] = Value.Of("");
        }
        yield return new() { Update = update };
        var past = new ItemKey(Past, $"{Value.Sortable(Microseconds.ToTime(message.Received))}#{entry.Box}#{message.Id}").ToItem();
        past["box"] = Value.Of(entry.Box);
        past["conversation"] = Value.Of(entry.Conversation);
        past["id"] = Value.Of(message.Id);
        past["received"] = Value.Of(message.Received);
        yield return new() { Put = new Put { Item = past } };
    }

    private static IEnumerable<List<InboxMessage>> ChunksOf(IEnumerable<InboxMessage> messages)
    {
        var (some, bytes) = (new List<InboxMessage>(), 0);
        foreach (var message in messages)
        {
            var length = Encoding.UTF8.GetByteCount(message.Body);
            if (length > MostBytes)
                throw new SpotterException(ErrorCodes.BodyTooLarge, $"A message has {length} bytes, and the inbox takes {MostBytes}.");
            if (some.Count == MostAdded || (some.Count > 0 && bytes + length > MostBytesAdded))
            {
                yield return some;
                (some, bytes) = ([], 0);
            }
            some.Add(message);
            bytes += length;
        }
        if (some.Count > 0)
            yield return some;
    }

    private static ParallelOptions ManyAtOnce(CancellationToken cancel) => new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };

    private static InboxConversation ReadOf(Dictionary<string, AttributeValue>? item) => item is null ? InboxConversation.Empty : InboxConversation.Read(item["doc"].S);

    private static ItemKey KeyOf(string box, string conversation) => new($"inbox#{box}", conversation);

    private static ItemKey MessageKey(string box, string id) => new($"msg#{box}", id);

    private static string DuePartition(string box) => $"inboxdue#{box}";

    private static ItemKey DueKey(string box, string conversation, long due) => new(DuePartition(box), $"{Value.Sortable(Microseconds.ToTime(due))}#{conversation}");

    /// <summary>What is to be written: the conversation as it is from now on, and what goes with it.</summary>
    private sealed record Step(InboxConversation Next, IReadOnlyList<TransactWriteItem> Also);
}
