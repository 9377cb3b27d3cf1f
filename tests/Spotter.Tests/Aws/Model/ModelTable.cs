using Amazon.DynamoDBv2.Model;
using Item = System.Collections.Generic.Dictionary<string, Amazon.DynamoDBv2.Model.AttributeValue>;

namespace Spotter.Tests.Aws.Model;

/// <summary>
/// A table of DynamoDB. It knows the expressions that the store uses, letter by letter: any other is a fault of the model, and never
/// guessed at. Its index follows some seconds later.
/// </summary>
internal sealed class ModelTable(ModelCloud cloud)
{
    private const string JobPartition = "job#";
    private const double LongestLag = 5;

    private readonly Dictionary<string, SortedSet<string>> keys = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Pk, string Sk), Item> items = [];
    private readonly Dictionary<string, SortedSet<string>> unluckyKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Pk, string Sk), Item> unlucky = [];
    private readonly Queue<(DateTimeOffset At, string? From, string? To, Item Keys)> indexing = new();

    /// <summary>Items as they are now.</summary>
    public IEnumerable<Item> Items => items.Values;

    public Item? Find(Item key) => items.TryGetValue(KeyOf(key), out var item) ? new(item, StringComparer.Ordinal) : null;

    /// <summary>Throws when the condition does not hold.</summary>
    public void Check(Item key, string? condition, Item? values, bool tellsItem)
    {
        var there = items.GetValueOrDefault(KeyOf(key));
        if (!Meets(there, condition, values))
            throw new ConditionalCheckFailedException("the condition does not hold") { Item = tellsItem && there is not null ? new(there, StringComparer.Ordinal) : null };
    }

    public bool Holds(Item key, string? condition, Item? values) => Meets(items.GetValueOrDefault(KeyOf(key)), condition, values);

    public void Put(Item item)
    {
        var key = KeyOf(item);
        var before = items.GetValueOrDefault(key);
        if (!keys.TryGetValue(key.Pk, out var partition))
            keys[key.Pk] = partition = new(StringComparer.Ordinal);
        partition.Add(key.Sk);
        var after = items[key] = new(item, StringComparer.Ordinal);
        Index(before, after);
        if (key.Pk.StartsWith(JobPartition, StringComparison.Ordinal))
            cloud.Oracle.Written(after);
    }

    public void Delete(Item keyItem)
    {
        var key = KeyOf(keyItem);
        if (!items.Remove(key, out var before))
            return;
        keys[key.Pk].Remove(key.Sk);
        if (keys[key.Pk].Count == 0)
            keys.Remove(key.Pk);
        Index(before, null);
        if (key.Pk.StartsWith(JobPartition, StringComparison.Ordinal))
            cloud.Oracle.Deleted(before);
    }

    public void Update(Item key, string expression, Item values)
    {
        var item = Find(key) ?? new(key, StringComparer.Ordinal);
        var jobs = item.TryGetValue("jobs", out var set) ? set.SS : [];
        jobs = expression switch
        {
            "ADD jobs :job" => [.. jobs.Union(values[":job"].SS, StringComparer.Ordinal)],
            "DELETE jobs :job" => [.. jobs.Except(values[":job"].SS, StringComparer.Ordinal)],
            _ => throw Unknown(expression),
        };
        if (jobs.Count > 0)
            item["jobs"] = new() { SS = jobs };
        else
            item.Remove("jobs");
        Put(item);
    }

    public QueryResponse Query(QueryRequest request)
    {
        if (request.FilterExpression is not null || request.ScanIndexForward != true)
            throw Unknown($"{request.FilterExpression}, ascending {request.ScanIndexForward}");
        var values = request.ExpressionAttributeValues;
        var after = request.ExclusiveStartKey is { Count: > 0 } start ? start : null;
        var most = Math.Min(request.Limit ?? int.MaxValue, 20 + cloud.Below(500));
        var found = request.IndexName switch
        {
            null => Range(request.KeyConditionExpression, values, after?["sk"].S).Take(most + 1).ToList(),
            "unlucky" when request.KeyConditionExpression == "upk = :pk" => Unlucky(values[":pk"].S, after?["usk"].S).Take(most + 1).ToList(),
            _ => throw Unknown($"{request.IndexName}: {request.KeyConditionExpression}"),
        };
        var page = found.Take(most).ToList();
        return new QueryResponse { Items = page, LastEvaluatedKey = found.Count > most ? page[^1] : null };
    }

    private IEnumerable<Item> Range(string expression, Item values, string? after)
    {
        var pk = values[":pk"].S;
        var (from, to) = expression switch
        {
            "pk = :pk" => (null, null),
            "pk = :pk AND sk >= :from" => (values[":from"].S, null),
            "pk = :pk AND sk <= :to" => (null, values[":to"].S),
            "pk = :pk AND sk BETWEEN :from AND :to" => (values[":from"].S, values[":to"].S),
            _ => throw Unknown(expression),
        };
        return Between(keys.GetValueOrDefault(pk), after, from ?? "", to ?? "\uffff").Select(sk => new Item(items[(pk, sk)], StringComparer.Ordinal));
    }

    /// <summary>It begins where it is to, and doesn't look at what lies before: else pages of a long partition would take the square of its length.</summary>
    private static IEnumerable<string> Between(SortedSet<string>? partition, string? after, string from, string to)
    {
        var first = after ?? from;
        return partition is null || string.CompareOrdinal(first, to) > 0 ? [] : partition.GetViewBetween(first, to).Where(sk => sk != after);
    }

    private IEnumerable<Item> Unlucky(string pk, string? after)
    {
        while (indexing.TryPeek(out var next) && next.At <= cloud.Now)
        {
            indexing.Dequeue();
            var sk = next.Keys["sk"].S;
            if (next.From is { } from)
            {
                unluckyKeys.GetValueOrDefault(from)?.Remove(sk);
                unlucky.Remove((from, sk));
            }
            if (next.To is not { } to)
                continue;
            if (!unluckyKeys.TryGetValue(to, out var partition))
                unluckyKeys[to] = partition = new(StringComparer.Ordinal);
            partition.Add(sk);
            unlucky[(to, sk)] = next.Keys;
        }
        return Between(unluckyKeys.GetValueOrDefault(pk), after, "", "\uffff").Select(sk => unlucky[(pk, sk)]);
    }

    private void Index(Item? before, Item? after)
    {
        var (from, to) = (before?.GetValueOrDefault("upk")?.S, after?.GetValueOrDefault("upk")?.S);
        if (from is null && to is null)
            return;
        var item = (after ?? before)!;
        var lag = cloud.Faults.Slow > 0 ? cloud.Between(0, LongestLag) : 0;
        indexing.Enqueue((cloud.Now + TimeSpan.FromSeconds(lag), from, to, new(StringComparer.Ordinal) { ["pk"] = item["pk"], ["sk"] = item["sk"], ["upk"] = new(to ?? from), ["usk"] = item["sk"] }));
    }

    private bool Meets(Item? there, string? condition, Item? values)
    {
        return condition switch
        {
            null => true,
            "attribute_not_exists(pk)" => there is null,
            "attribute_exists(pk)" => there is not null,
            "attribute_not_exists(jobs)" => there?.ContainsKey("jobs") != true,
            "v = :version" => IsSame("v", ":version"),
            "attribute_not_exists(pk) OR v = :v" => there is null || IsSame("v", ":v"),
            "job = :job" => IsSame("job", ":job"),
            "said = :said" => IsSame("said", ":said"),
            _ => throw Unknown(condition),
        };

        bool IsSame(string name, string value) => there?.GetValueOrDefault(name) is { } is1 && values![value] is var is2 && is1.N == is2.N && is1.S == is2.S;
    }

    private NotSupportedException Unknown(string? what)
    {
        cloud.Oracle.Violated($"the model of the table does not know '{what}'");
        return new NotSupportedException(what);
    }

    private static (string Pk, string Sk) KeyOf(Item item) => (item["pk"].S, item["sk"].S);
}
