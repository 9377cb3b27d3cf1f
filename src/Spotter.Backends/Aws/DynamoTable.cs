using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Spotter.Backends.Aws;

/// <summary>Names an item.</summary>
/// <param name="Pk">Its partition.</param>
/// <param name="Sk">Which of those in its partition.</param>
internal readonly record struct ItemKey(string Pk, string Sk)
{
    /// <summary>As an item.</summary>
    public Dictionary<string, AttributeValue> ToItem() => new(StringComparer.Ordinal) { ["pk"] = Value.Of(Pk), ["sk"] = Value.Of(Sk) };

    /// <summary>Of an item.</summary>
    public static ItemKey Of(IReadOnlyDictionary<string, AttributeValue> item) => new(item["pk"].S, item["sk"].S);
}

/// <summary>Values of attributes.</summary>
internal static class Value
{
    public static AttributeValue Of(string text) => new() { S = text };

    public static AttributeValue Of(long number) => new() { N = number.ToString(CultureInfo.InvariantCulture) };

    public static AttributeValue Of(byte[] bytes) => new() { B = new MemoryStream(bytes, writable: false) };

    public static AttributeValue Of(DateTimeOffset time) => Of(Microseconds.From(time));

    public static long Number(this IReadOnlyDictionary<string, AttributeValue> item, string name) =>
        item.TryGetValue(name, out var value) && value.N is { } digits ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;

    public static DateTimeOffset Time(this IReadOnlyDictionary<string, AttributeValue> item, string name) => Microseconds.ToTime(item.Number(name));

    public static string? Text(this IReadOnlyDictionary<string, AttributeValue> item, string name) => item.TryGetValue(name, out var value) ? value.S : null;

    public static byte[] Bytes(this IReadOnlyDictionary<string, AttributeValue> item, string name) => item.TryGetValue(name, out var value) ? value.B.ToArray() : [];

    /// <summary>A time as a sort key: as many digits for all.</summary>
    public static string Sortable(DateTimeOffset time) => Microseconds.From(time).ToString("D17", CultureInfo.InvariantCulture);

    /// <summary>The time that a sort key begins with.</summary>
    public static DateTimeOffset TimeOf(string sortable) => Microseconds.ToTime(long.Parse(sortable.AsSpan(0, 17), CultureInfo.InvariantCulture));
}

/// <summary>What a query asks for.</summary>
/// <param name="Pk">The partition, of the table or of an index.</param>
internal sealed record ItemQuery(string Pk)
{
    /// <summary>A global index; null for the table itself.</summary>
    public string? Index { get; init; }

    /// <summary>The name of its partition key.</summary>
    public string PkName { get; init; } = "pk";

    /// <summary>The name of its sort key.</summary>
    public string SkName { get; init; } = "sk";

    /// <summary>Sort keys from this one on, itself included; null for any.</summary>
    public string? From { get; init; }

    /// <summary>Sort keys up to this one, itself included; null for any.</summary>
    public string? To { get; init; }

    /// <summary>The last ones first.</summary>
    public bool Descending { get; init; }

    /// <summary>At most so many items.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Only the items of which this holds, an expression over <see cref="Names"/> and <see cref="Values"/>; null for all.</summary>
    public string? Filter { get; init; }

    public Dictionary<string, string>? Names { get; init; }

    public Dictionary<string, AttributeValue> Values { get; init; } = [];
}

/// <summary>The one table in which everything is kept. A write that is answered has been stored in several places.</summary>
internal sealed class DynamoTable(IAmazonDynamoDB client, AwsFaults faults, string name, Pace pace)
{
    // Each write has a nonce, so that one whose answer was lost is known again when it is repeated.
    private const string Nonce = "n";
    private const int MostRead = 100;
    private const int MostWritten = 25;
    private const int MostCollisions = 8;
    private const int MostOnPage = 10_000;

    /// <summary>Most items of one transaction.</summary>
    public const int MostTransacted = 100;

    /// <summary>An item as it is now; null when there is none.</summary>
    public async Task<Dictionary<string, AttributeValue>?> GetAsync(ItemKey key, CancellationToken cancel)
    {
        var answer = await faults.CallAsync(() => client.GetItemAsync(new GetItemRequest { TableName = name, Key = key.ToItem(), ConsistentRead = true }, cancel), cancel);
        return answer.IsItemSet ? answer.Item : null;
    }

    /// <summary>Those of these items that there are, in no order.</summary>
    public async Task<List<Dictionary<string, AttributeValue>>> GetAllAsync(IEnumerable<ItemKey> keys, CancellationToken cancel)
    {
        var items = new List<Dictionary<string, AttributeValue>>();
        var pauses = 0;
        foreach (var some in keys.Distinct().Chunk(MostRead))
        {
            var wanted = new Dictionary<string, KeysAndAttributes>(StringComparer.Ordinal) { [name] = new() { Keys = [.. some.Select(k => k.ToItem())], ConsistentRead = true } };
            while (wanted.Count > 0)
            {
                var request = new BatchGetItemRequest { RequestItems = wanted };
                var answer = await faults.CallAsync(() => client.BatchGetItemAsync(request, cancel), cancel);
                if (answer.Responses is { } found && found.TryGetValue(name, out var these))
                    items.AddRange(these);
                wanted = answer.UnprocessedKeys ?? [];
                if (wanted.Count > 0)
                    await PauseAsync(++pauses, cancel);
            }
        }
        return items;
    }

    /// <summary>Writes an item if a condition holds; false when it does not.</summary>
    public async Task<bool> PutIfAsync(Dictionary<string, AttributeValue> item, string condition, Dictionary<string, AttributeValue>? values, CancellationToken cancel)
    {
        var nonce = pace.Random.NextHex(8);
        item[Nonce] = Value.Of(nonce);
        try
        {
            await faults.CallAsync(
                () => client.PutItemAsync(new PutItemRequest
                {
                    TableName = name, Item = item, ConditionExpression = condition, ExpressionAttributeValues = values,
                    ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                }, CancellationToken.None),
                cancel);
            return true;
        }
        catch (ConditionalCheckFailedException refused)
        {
            return refused.Item is { } there && there.Text(Nonce) == nonce;
        }
    }

    /// <summary>Writes an item, whatever was there.</summary>
    public Task PutAsync(Dictionary<string, AttributeValue> item, CancellationToken cancel) =>
        faults.CallAsync(() => client.PutItemAsync(new PutItemRequest { TableName = name, Item = item }, CancellationToken.None), cancel);

    /// <summary>Changes an item, or makes it; false when the condition does not hold.</summary>
    public async Task<bool> UpdateAsync(ItemKey key, string expression, Dictionary<string, AttributeValue> values, string? condition, CancellationToken cancel)
    {
        try
        {
            await faults.CallAsync(
                () => client.UpdateItemAsync(new UpdateItemRequest
                {
                    TableName = name, Key = key.ToItem(), UpdateExpression = expression, ExpressionAttributeValues = values, ConditionExpression = condition,
                }, CancellationToken.None),
                cancel);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>Deletes an item if a condition holds; false when it does not.</summary>
    public async Task<bool> DeleteIfAsync(ItemKey key, string? condition, Dictionary<string, AttributeValue>? values, CancellationToken cancel)
    {
        try
        {
            await faults.CallAsync(
                () => client.DeleteItemAsync(new DeleteItemRequest { TableName = name, Key = key.ToItem(), ConditionExpression = condition, ExpressionAttributeValues = values }, CancellationToken.None),
                cancel);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>Writes and deletes many items, each for itself.</summary>
    public async Task WriteAllAsync(IEnumerable<Dictionary<string, AttributeValue>> puts, IEnumerable<ItemKey> deletes, CancellationToken cancel)
    {
        var writes = puts.Select(item => new WriteRequest(new PutRequest(item))).Concat(deletes.Select(key => new WriteRequest(new DeleteRequest(key.ToItem()))));
        var pauses = 0;
        foreach (var some in writes.Chunk(MostWritten))
        {
            var wanted = new Dictionary<string, List<WriteRequest>>(StringComparer.Ordinal) { [name] = [.. some] };
            while (wanted.Count > 0)
            {
                var request = new BatchWriteItemRequest { RequestItems = wanted };
                wanted = (await faults.CallAsync(() => client.BatchWriteItemAsync(request, CancellationToken.None), cancel)).UnprocessedItems ?? [];
                if (wanted.Count > 0)
                    await PauseAsync(++pauses, cancel);
            }
        }
    }

    /// <summary>Writes several items, all or none; null when they are written, else the index of the first whose condition does not hold.</summary>
    public async Task<int?> TransactAsync(IReadOnlyList<TransactWriteItem> items, CancellationToken cancel)
    {
        foreach (var item in items)
        {
            // So that no change of an item leaves the nonce of an earlier one.
            if (item.Put is { } put)
            {
                put.TableName = name;
                put.Item.TryAdd(Nonce, Value.Of(pace.Random.NextHex(8)));
            }
            if (item.Update is { } update)
                update.TableName = name;
            if (item.Delete is { } delete)
                delete.TableName = name;
            if (item.ConditionCheck is { } check)
                check.TableName = name;
        }
        for (var collisions = 1; ; collisions++)
        {
            try
            {
                var request = new TransactWriteItemsRequest { TransactItems = [.. items], ClientRequestToken = pace.Random.NextHex(16) };
                await faults.CallAsync(() => client.TransactWriteItemsAsync(request, CancellationToken.None), cancel);
                return null;
            }
            catch (TransactionCanceledException refused)
            {
                if (refused.CancellationReasons?.FindIndex(r => r.Code == "ConditionalCheckFailed") is >= 0 and var at)
                    return await IsWrittenAsync(items) ? null : at;
                if (collisions < MostCollisions && refused.CancellationReasons?.Exists(r => r.Code is "TransactionConflict" or "ThrottlingError" or "ProvisionedThroughputExceeded") == true)
                {
                    await PauseAsync(collisions, CancellationToken.None);
                    continue;
                }
                throw faults.ToRefusal(refused);
            }
        }
    }

    /// <summary>
    /// Whether it was this transaction that made its conditions false: one whose answer was lost is sent again. All of it is there, then, or
    /// nothing is.
    /// </summary>
    private async Task<bool> IsWrittenAsync(IReadOnlyList<TransactWriteItem> items) =>
        items.Select(i => i.Put?.Item).FirstOrDefault(item => item is not null) is { } written
        && await GetAsync(ItemKey.Of(written), CancellationToken.None) is { } there && there.Text(Nonce) == written.Text(Nonce);

    /// <summary>The items of a partition, page by page, until there are no more or the limit is reached.</summary>
    public async Task<List<Dictionary<string, AttributeValue>>> QueryAsync(ItemQuery query, CancellationToken cancel)
    {
        var items = new List<Dictionary<string, AttributeValue>>();
        Dictionary<string, AttributeValue>? next = null;
        // A filter leaves out some of what is looked at: first about as many as are wanted, then more each time.
        var looked = query.Limit;
        do
        {
            var request = RequestOf(query, query.Filter is null ? query.Limit - items.Count : looked, next);
            looked = (int)Math.Min(int.MaxValue, looked * 2L);
            var answer = await faults.CallAsync(() => client.QueryAsync(request, cancel), cancel);
            items.AddRange(answer.Items ?? []);
            next = answer.LastEvaluatedKey is { Count: > 0 } key ? key : null;
        }
        while (next is not null && items.Count < query.Limit);
        return items.Count <= query.Limit ? items : items[..query.Limit];
    }

    /// <summary>Before what the table could not take yet is sent again; longer each time.</summary>
    private Task PauseAsync(int times, CancellationToken cancel) =>
        Task.Delay(TimeSpan.FromMilliseconds(pace.Random.NextDouble() * 20 * (1 << Math.Min(times, 8))), pace.Clock, cancel);

    private QueryRequest RequestOf(ItemQuery query, int limit, Dictionary<string, AttributeValue>? next)
    {
        var values = new Dictionary<string, AttributeValue>(query.Values, StringComparer.Ordinal) { [":pk"] = Value.Of(query.Pk) };
        var condition = $"{query.PkName} = :pk";
        if (query.From is { } from)
            values[":from"] = Value.Of(from);
        if (query.To is { } to)
            values[":to"] = Value.Of(to);
        condition += (query.From, query.To) switch
        {
            (not null, not null) => $" AND {query.SkName} BETWEEN :from AND :to",
            (not null, null) => $" AND {query.SkName} >= :from",
            (null, not null) => $" AND {query.SkName} <= :to",
            _ => "",
        };
        return new QueryRequest
        {
            TableName = name,
            IndexName = query.Index,
            KeyConditionExpression = condition,
            FilterExpression = query.Filter,
            ExpressionAttributeNames = query.Names,
            ExpressionAttributeValues = values,
            ScanIndexForward = !query.Descending,
            // An index follows the table a little later.
            ConsistentRead = query.Index is null,
            // More than that make no page.
            Limit = limit < MostOnPage ? limit : null,
            ExclusiveStartKey = next,
        };
    }
}
