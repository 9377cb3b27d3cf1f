using System.Collections.Concurrent;
using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// The outbox in the same table as the jobs, whose ends write its items. What is known of a delivery is an item beside those of the
/// same job; while it is pending, there is another one under the time at which it is due. A receipt is that item's sort key: every
/// taking moves it to a later one.
/// </summary>
internal sealed class DynamoOutbox(DynamoTable table, TimeProvider clock) : IOutbox
{
    private const string Due = "due";

    private readonly WakeList wakes = new();
    private readonly QuietTimes quiet = new();

    // Within a process those who take from a channel do so one after another, as they would get in each other's way.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> turns = new(StringComparer.Ordinal);

    /// <summary>The items to be written with the end of a job.</summary>
    public static IEnumerable<Dictionary<string, AttributeValue>> EntriesOf(Job job)
    {
        foreach (var (notification, index) in job.Notify.Select((n, i) => (n, i)))
        {
            var id = OutboxEntry.IdOf(job.Id, job.Redrives, index);
            var status = StatusKey(job.Id, job.Redrives, index);
            var known = status.ToItem();
            known["id"] = Value.Of(id);
            known["channel"] = Value.Of(notification.Channel);
            known["target"] = Value.Of(notification.Target);
            known["state"] = Value.Of((long)DeliveryState.Pending);
            known["due"] = Value.Of(job.Finished!.Value);
            yield return known;

            var pending = DueKey(notification.Channel, job.Finished.Value, id).ToItem();
            pending["id"] = Value.Of(id);
            pending["job"] = Value.Of(job.Id.Value);
            pending["status"] = Value.Of(status.Sk);
            pending["target"] = Value.Of(notification.Target);
            pending["endpoint"] = Value.Of(notification.Endpoint ?? notification.Target);
            if (notification.Secret is { } secret)
                pending["secret"] = Value.Of(secret);
            yield return pending;
        }
    }

    /// <summary>Entries were added.</summary>
    public void Filled()
    {
        quiet.Reset();
        wakes.Wake();
    }

    public async Task<IReadOnlyList<OutboxEntry>> TakeAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel)
    {
        if (limit <= 0 || quiet.IsQuiet(channel, clock.GetUtcNow(), out var asOf))
            return [];
        var turn = turns.GetOrAdd(channel, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancel);
        try
        {
            return await TakeDueAsync(channel, limit, lease, exceptEndpoints, asOf, cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    public async Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel)
    {
        var held = new ItemKey(Due, entry.Receipt);
        if (await table.GetAsync(held, cancel) is not { } item || item.Text("id") != entry.Id)
            return;
        var now = clock.GetUtcNow();
        var (state, status, detail, delay) = outcome.Record;
        var writes = new List<TransactWriteItem> { Delete(held) };
        var known = new Update { Key = new ItemKey(PartitionOf(entry.Job), item["status"].S).ToItem() };
        var (set, remove) = (new List<string> { "#state = :state" }, new List<string>());
        known.ExpressionAttributeNames = new(StringComparer.Ordinal) { ["#state"] = "state", ["#status"] = "status" };
        known.ExpressionAttributeValues = new(StringComparer.Ordinal) { [":state"] = Value.Of((long)state), [":one"] = Value.Of(1) };
        Set("#status", ":status", status is { } code ? Value.Of(code) : null);
        Set("detail", ":detail", detail is null ? null : Value.Of(detail));
        Set("due", ":due", state == DeliveryState.Pending ? Value.Of(now + delay) : null);
        Set("ended", ":ended", state == DeliveryState.Pending ? null : Value.Of(now));
        known.UpdateExpression = $"SET {string.Join(", ", set)}{(remove.Count > 0 ? $" REMOVE {string.Join(", ", remove)}" : "")} ADD attempts :one";
        writes.Add(new() { Update = known });
        if (state == DeliveryState.Pending)
            writes.Add(Put(Moved(item, ChannelOf(entry.Receipt), now + delay, attempts: 1)));
        await table.TransactAsync(writes, cancel);
        quiet.Reset();

        void Set(string name, string value, AttributeValue? to)
        {
            if (to is null)
            {
                remove.Add(name);
                return;
            }
            set.Add($"{name} = {value}");
            known.ExpressionAttributeValues[value] = to;
        }
    }

    public async Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel) =>
        [.. (await table.QueryAsync(new ItemQuery(PartitionOf(job)), cancel)).Select(item => new DeliveryStatus(
            item["id"].S, item["channel"].S, item["target"].S, (DeliveryState)item.Number("state"), (int)item.Number("attempts"),
            item.ContainsKey("status") ? (int)item.Number("status") : null, item.Text("detail"),
            item.ContainsKey("due") ? item.Time("due") : null, item.ContainsKey("ended") ? item.Time("ended") : null))];

    public async Task<long> PendingAsync(CancellationToken cancel) =>
        (await table.QueryAsync(new ItemQuery(Due) { Limit = IOutbox.MostCounted }, cancel)).Count;

    public IDisposable WhenFilled(Action wake) => wakes.Add(wake);

    /// <summary>Deletes all deliveries of a job.</summary>
    public async Task ForgetAsync(Job job, CancellationToken cancel)
    {
        if (job.Notify.Count == 0)
            return;
        foreach (var item in await table.QueryAsync(new ItemQuery(PartitionOf(job.Id)), cancel))
        {
            if (item.ContainsKey("due"))
            {
                var channel = item["channel"].S;
                var pending = await table.QueryAsync(new ItemQuery(Due)
                {
                    From = $"{channel}#", To = $"{channel}#~", Filter = "id = :id", Values = new(StringComparer.Ordinal) { [":id"] = item["id"] },
                }, cancel);
                await table.WriteAllAsync([], pending.Select(p => ItemKey.Of(p)), cancel);
            }
            await table.WriteAllAsync([], [ItemKey.Of(item)], cancel);
        }
    }

    private async Task<IReadOnlyList<OutboxEntry>> TakeDueAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, long asOf, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var query = new ItemQuery(Due) { From = $"{channel}#", Limit = limit };
        if (exceptEndpoints.Count > 0)
        {
            var except = exceptEndpoints.Select((endpoint, i) => (Name: string.Create(CultureInfo.InvariantCulture, $":e{i}"), endpoint)).ToList();
            query = query with
            {
                To = $"{channel}#{Value.Sortable(now)}~",
                Filter = $"NOT endpoint IN ({string.Join(", ", except.Select(e => e.Name))})",
                Values = except.ToDictionary(e => e.Name, e => Value.Of(e.endpoint), StringComparer.Ordinal),
            };
        }
        else
        {
            // Also those that are due later: where none is due now, the first of them says when to look again.
            query = query with { To = $"{channel}#~" };
        }
        var found = await table.QueryAsync(query, cancel);
        var due = found.Where(item => DueOf(channel, item) <= now).ToList();
        if (due.Count == 0 && exceptEndpoints.Count == 0)
            quiet.Rest(channel, now, found.Count > 0 ? DueOf(channel, found[0]) : null, asOf);
        return [.. (await Task.WhenAll(due.Select(item => LeaseAsync(channel, item, now + lease)))).OfType<OutboxEntry>()];
    }

    private static DateTimeOffset DueOf(string channel, Dictionary<string, AttributeValue> item) => Value.TimeOf(item["sk"].S[(channel.Length + 1)..]);

    private async Task<OutboxEntry?> LeaseAsync(string channel, Dictionary<string, AttributeValue> item, DateTimeOffset until)
    {
        var leased = Moved(item, channel, until, attempts: 0);
        // Whoever moves it has it.
        if (await table.TransactAsync([Delete(ItemKey.Of(item)), Put(leased)], CancellationToken.None) is not null)
            return null;
        return new OutboxEntry(
            item["id"].S, JobId.Parse(item["job"].S), item["target"].S, item.Text("secret"), item["endpoint"].S, (int)item.Number("attempts") + 1, leased["sk"].S);
    }

    private static Dictionary<string, AttributeValue> Moved(Dictionary<string, AttributeValue> item, string channel, DateTimeOffset due, int attempts)
    {
        var moved = new Dictionary<string, AttributeValue>(item, StringComparer.Ordinal) { ["sk"] = Value.Of(DueKey(channel, due, item["id"].S).Sk) };
        moved["attempts"] = Value.Of(item.Number("attempts") + attempts);
        return moved;
    }

    private static string PartitionOf(JobId job) => $"outbox#{job}";

    private static ItemKey StatusKey(JobId job, int redrives, int index) =>
        new(PartitionOf(job), string.Create(CultureInfo.InvariantCulture, $"{redrives:D6}#{index:D4}"));

    private static ItemKey DueKey(string channel, DateTimeOffset due, string id) => new(Due, $"{channel}#{Value.Sortable(due)}#{id}");

    private static string ChannelOf(string receipt) => receipt[..receipt.IndexOf('#', StringComparison.Ordinal)];

    private static TransactWriteItem Delete(ItemKey key) => new() { Delete = new Delete { Key = key.ToItem(), ConditionExpression = "attribute_exists(pk)" } };

    private static TransactWriteItem Put(Dictionary<string, AttributeValue> item) => new() { Put = new Put { Item = item } };
}
