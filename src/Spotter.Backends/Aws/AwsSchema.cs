using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Spotter.Backends.Aws;

/// <summary>What the table and the queues have to be like; deploy/aws makes them the same.</summary>
internal static class AwsSchema
{
    /// <summary>Four days, sixty seconds, twenty seconds.</summary>
    public static Dictionary<string, string> QueueAttributes => new(StringComparer.Ordinal)
    {
        ["MessageRetentionPeriod"] = "345600", ["VisibilityTimeout"] = "60", ["ReceiveMessageWaitTimeSeconds"] = "20",
    };

    /// <summary>The table, paid by the request.</summary>
    public static CreateTableRequest TableOf(string name) => new()
    {
        TableName = name,
        BillingMode = BillingMode.PAY_PER_REQUEST,
        AttributeDefinitions = [.. ((string[])["pk", "sk", "opk", "upk", "usk"]).Select(n => new AttributeDefinition(n, ScalarAttributeType.S))],
        KeySchema = [new("pk", KeyType.HASH), new("sk", KeyType.RANGE)],
        GlobalSecondaryIndexes = [Index(RowCodec.OwnerIndex, "opk", "sk"), Index(RowCodec.UnluckyIndex, "upk", "usk")],
    };

    private static GlobalSecondaryIndex Index(string name, string partition, string sort) => new()
    {
        IndexName = name, KeySchema = [new(partition, KeyType.HASH), new(sort, KeyType.RANGE)], Projection = new Projection { ProjectionType = ProjectionType.KEYS_ONLY },
    };
}
