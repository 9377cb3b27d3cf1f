using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Aws;

/// <summary>A request that came to <see cref="AwsProxy"/>.</summary>
/// <param name="Service"><c>dynamodb</c>, <c>sqs</c> or <c>s3</c>.</param>
/// <param name="Operation">As the service names it; of S3 the method.</param>
/// <param name="Target">Which partition, without the ids of jobs, pictures and keys; which queue; which bucket.</param>
/// <param name="WriteUnits">What DynamoDB takes for it: one unit for each started KiB of an item, twice that in transactions.</param>
/// <param name="IndexUnits">What it takes besides for new entries of indexes.</param>
internal sealed record AwsCall(string Service, string Operation, string Target, double WriteUnits, double IndexUnits)
{
    /// <summary>What DynamoDB takes for reading: one unit for each item of at most 4 KiB, and for a query that finds no more than that.</summary>
    public double ReadUnits { get; init; }

    /// <summary>True when it changes the table or a queue.</summary>
    public bool IsWrite => Operation is not ("GetItem" or "BatchGetItem" or "Query" or "GetQueueUrl" or "GetQueueAttributes" or "ReceiveMessage" or "GET" or "HEAD");

    /// <summary>Reads a request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path.</param>
    /// <param name="target">The header X-Amz-Target, which S3 doesn't have.</param>
    /// <param name="body">The body.</param>
    public static AwsCall Of(string method, string path, string? target, byte[] body)
    {
        if (string.IsNullOrEmpty(target))
            return new("s3", method, path.TrimStart('/').Split('/')[0], 0, 0);
        var operation = target[(target.IndexOf('.', StringComparison.Ordinal) + 1)..];
        using var document = JsonDocument.Parse(body);
        var request = document.RootElement;
        if (target.StartsWith("AmazonSQS", StringComparison.Ordinal))
            return new("sqs", operation, request.TryGetProperty("QueueUrl", out var url) ? url.GetString()!.Split('/')[^1] : request.GetProperty("QueueName").GetString()!, 0, 0);
        var (partition, units, indexed) = operation switch
        {
            "Query" => (request.GetProperty("ExpressionAttributeValues").GetProperty(":pk").GetProperty("S").GetString()!, 0, 0),
            "PutItem" => (Pk(request.GetProperty("Item")), UnitsOf(request.GetProperty("Item")), Indexed(request)),
            "UpdateItem" or "DeleteItem" => (Pk(request.GetProperty("Key")), 1, 0),
            "GetItem" => (Pk(request.GetProperty("Key")), 0, 0),
            "BatchWriteItem" => OfBatch(request),
            "TransactWriteItems" => OfTransaction(request),
            "BatchGetItem" => (Pk(request.GetProperty("RequestItems").EnumerateObject().First().Value.GetProperty("Keys")[0]), 0, 0),
            _ => ("", 0, 0),
        };
        var reads = operation switch
        {
            "GetItem" or "Query" => 1,
            "BatchGetItem" => request.GetProperty("RequestItems").EnumerateObject().Sum(table => table.Value.GetProperty("Keys").GetArrayLength()),
            _ => 0,
        };
        return new("dynamodb", operation, Plain(partition), units, indexed) { ReadUnits = reads };
    }

    /// <summary>The partition; nothing in a table that is not Spotter's.</summary>
    private static string Pk(JsonElement item) => item.TryGetProperty("pk", out var key) ? key.GetProperty("S").GetString()! : "";

    /// <summary>The kind of a partition, and its number where there are few.</summary>
    private static string Plain(string partition) => partition.Split('#') is [var kind, { Length: <= 2 } number, ..] ? $"{kind}#{number}" : partition.Split('#')[0];

    private static (string, double, double) OfBatch(JsonElement request)
    {
        var writes = request.GetProperty("RequestItems").EnumerateObject().First().Value.EnumerateArray().ToList();
        var first = writes[0].TryGetProperty("PutRequest", out var put) ? put.GetProperty("Item") : writes[0].GetProperty("DeleteRequest").GetProperty("Key");
        return (Pk(first), writes.Sum(w => w.TryGetProperty("PutRequest", out var each) ? UnitsOf(each.GetProperty("Item")) : 1), 0);
    }

    private static (string, double, double) OfTransaction(JsonElement request)
    {
        var (partition, units, indexed) = ("", 0.0, 0.0);
        foreach (var item in request.GetProperty("TransactItems").EnumerateArray())
        {
            var write = item.EnumerateObject().First(o => o.Value.ValueKind == JsonValueKind.Object);
            var what = write.Name == "Put" ? write.Value.GetProperty("Item") : write.Value.GetProperty("Key");
            partition = partition.Length == 0 ? Pk(what) : partition;
            units += 2 * (write.Name == "Put" ? UnitsOf(what) : 1);
            indexed += write.Name == "Put" ? Indexed(write.Value) : 0;
        }
        return (partition, units, indexed);
    }

    /// <summary>Indexes have the keys only: a new item costs each of its indexes a unit, and one that changes nothing of them none.</summary>
    private static double Indexed(JsonElement put)
    {
        var item = put.GetProperty("Item");
        var isNew = put.TryGetProperty("ConditionExpression", out var condition) && condition.GetString()?.StartsWith("attribute_not_exists", StringComparison.Ordinal) == true;
        return (isNew && item.TryGetProperty("opk", out _) ? 1 : 0) + (item.TryGetProperty("upk", out _) ? 1 : 0);
    }

    private static double UnitsOf(JsonElement item) => Math.Ceiling(item.EnumerateObject().Sum(a => Encoding.UTF8.GetByteCount(a.Name) + SizeOf(a.Value)) / 1024.0);

    /// <summary>The size of a value, as DynamoDB's documentation counts it.</summary>
    private static int SizeOf(JsonElement value)
    {
        var typed = value.EnumerateObject().First(t => t.Value.ValueKind != JsonValueKind.Null);
        return typed.Name switch
        {
            "S" => Encoding.UTF8.GetByteCount(typed.Value.GetString()!),
            "N" => (typed.Value.GetString()!.Length / 2) + 1,
            "B" => typed.Value.GetBytesFromBase64().Length,
            "SS" => typed.Value.EnumerateArray().Sum(s => Encoding.UTF8.GetByteCount(s.GetString()!)),
            "L" => typed.Value.EnumerateArray().Sum(SizeOf),
            "M" => typed.Value.EnumerateObject().Sum(a => Encoding.UTF8.GetByteCount(a.Name) + SizeOf(a.Value)),
            _ => throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture, $"a value of the type {typed.Name}")),
        };
    }
}
