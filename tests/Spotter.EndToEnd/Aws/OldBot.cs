using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.EndToEnd.Aws;

/// <summary>What is left of an earlier service: its bot puts pictures and messages, and reads rows and results, as it always has.</summary>
internal sealed class OldBot(MotoServer moto)
{
    public const string Bucket = "talo-s3";
    public const string Requests = "talo-sqs-identify";
    public const string Results = "talo-sqs-results";
    public const string Table = "talo-prediction-results";
    public const string Outputs = "pro1output";

    private readonly Dictionary<string, string> urls = new(StringComparer.Ordinal);

    /// <summary>Makes its queues, its bucket and its table.</summary>
    public static async Task<OldBot> StartAsync(MotoServer moto)
    {
        var bot = new OldBot(moto);
        await moto.MakeBucketAsync(Bucket);
        await moto.MakeBucketAsync(Outputs);
        foreach (var queue in (string[])[Requests, Results])
        {
            // Hidden for a moment only, so that a test need not wait long for what comes again.
            var made = await moto.CallAsync("AmazonSQS.CreateQueue", new JsonObject { ["QueueName"] = queue, ["Attributes"] = new JsonObject { ["VisibilityTimeout"] = "2" } });
            bot.urls[queue] = made.GetProperty("QueueUrl").GetString()!;
        }
        await moto.CallAsync("DynamoDB_20120810.CreateTable", new JsonObject
        {
            ["TableName"] = Table,
            ["AttributeDefinitions"] = new JsonArray(new JsonObject { ["AttributeName"] = "predictionId", ["AttributeType"] = "S" }),
            ["KeySchema"] = new JsonArray(new JsonObject { ["AttributeName"] = "predictionId", ["KeyType"] = "HASH" }),
            ["ProvisionedThroughput"] = new JsonObject { ["ReadCapacityUnits"] = 1, ["WriteCapacityUnits"] = 1 },
        });
        return bot;
    }

    /// <summary>The address of one of its queues.</summary>
    public string UrlOf(string queue) => urls[queue];

    /// <summary>Messages of a queue, those that somebody has received and not deleted among them.</summary>
    public async Task<int> CountAsync(string queue)
    {
        var answer = await moto.CallAsync("AmazonSQS.GetQueueAttributes", new JsonObject { ["QueueUrl"] = urls[queue], ["AttributeNames"] = new JsonArray("All") });
        return answer.GetProperty("Attributes").EnumerateObject().Where(a => a.Name.StartsWith("ApproximateNumberOfMessages", StringComparison.Ordinal))
            .Sum(a => int.Parse(a.Value.GetString()!, CultureInfo.InvariantCulture));
    }

    /// <summary>Sends a picture of a chat to be looked at; the message's id.</summary>
    public async Task<string> AskAsync(string chat, string name, byte[] picture)
    {
        await PutAsync($"images/{name}", picture);
        return await SendAsync(new JsonObject { ["chatId"] = chat, ["imgName"] = name }.ToJsonString());
    }

    /// <summary>Puts a picture.</summary>
    public Task PutAsync(string key, byte[] picture) => moto.PutAsync($"/{Bucket}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}", picture);

    /// <summary>Sends a message; its id.</summary>
    /// <param name="body">The message.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="chat">The chat, as an attribute beside it; null for none.</param>
    public async Task<string> SendAsync(string body, string queue = Requests, string? chat = null)
    {
        var message = new JsonObject { ["QueueUrl"] = urls[queue], ["MessageBody"] = body };
        if (chat is not null)
            message["MessageAttributes"] = new JsonObject { ["chat_id"] = new JsonObject { ["DataType"] = "String", ["StringValue"] = chat } };
        return (await moto.CallAsync("AmazonSQS.SendMessage", message)).GetProperty("MessageId").GetString()!;
    }

    /// <summary>Waits for the next result and deletes it; what it says.</summary>
    public async Task<string> HearAsync(string queue = Results)
    {
        var heard = await Eventually.SeeAsync("a result", () => TryHearAsync(queue), text => text is not null, TimeSpan.FromSeconds(60));
        return heard!;
    }

    /// <summary>The next result, which is deleted; null if there is none now.</summary>
    public async Task<string?> TryHearAsync(string queue = Results)
    {
        var answer = await moto.CallAsync("AmazonSQS.ReceiveMessage", new JsonObject { ["QueueUrl"] = urls[queue], ["MaxNumberOfMessages"] = 1 });
        if (!answer.TryGetProperty("Messages", out var messages) || messages.GetArrayLength() == 0)
            return null;
        await moto.CallAsync("AmazonSQS.DeleteMessage", new JsonObject { ["QueueUrl"] = urls[queue], ["ReceiptHandle"] = messages[0].GetProperty("ReceiptHandle").GetString() });
        return messages[0].GetProperty("Body").GetString();
    }

    /// <summary>Waits until every message was dealt with.</summary>
    public Task EmptyAsync() => Eventually.SeeAsync("no message waits", () => CountAsync(Requests), waiting => waiting == 0, TimeSpan.FromSeconds(60));

    /// <summary>All rows.</summary>
    public async Task<List<JsonElement>> RowsAsync() =>
        [.. (await moto.CallAsync("DynamoDB_20120810.Scan", new JsonObject { ["TableName"] = Table })).GetProperty("Items").EnumerateArray()];

    /// <summary>A picture by the key that a row has.</summary>
    public Task<byte[]?> PictureAsync(string key) => moto.GetAsync($"/{Bucket}/{key}");

    /// <summary>A text of the bucket of results; null if there is none.</summary>
    public async Task<string?> OutputAsync(string key) => await moto.GetAsync($"/{Outputs}/{key}") is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes) : null;
}
