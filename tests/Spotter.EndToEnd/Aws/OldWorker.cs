using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Spotter.EndToEnd.Aws;

/// <summary>An object that an <see cref="OldWorker"/> finds.</summary>
internal sealed record OldLabel(string Class, double Cx, double Cy, double Width, double Height);

/// <summary>
/// A worker of an earlier service, with its habits: one message at a time; the annotated picture goes over the original; what it finds it looks for
/// under the name up to its first dot; it says 404 when it finds nothing (s2), or nothing at all (s1).
/// </summary>
/// <param name="moto">Where its queues, bucket and table are.</param>
/// <param name="bot">Knows their names.</param>
/// <param name="see">What it finds in a picture.</param>
internal sealed class OldWorker(MotoServer moto, OldBot bot, Func<byte[], IReadOnlyList<OldLabel>> see)
{
    /// <summary>What it has looked at.</summary>
    public List<byte[]> Seen { get; } = [];

    /// <summary>The names that it was given.</summary>
    public List<string> Names { get; } = [];

    /// <summary>What it writes over the original.</summary>
    public static byte[] Annotated { get; } = Pictures.Png(99);

    /// <summary>Waits for a message and deals with it as a worker of a bot with two queues does.</summary>
    /// <param name="times">How often it sends the result: it is started anew before it has deleted the message, or SQS gives it twice.</param>
    /// <param name="fails">True when its bucket doesn't answer it.</param>
    public async Task WorkAsS2Async(int times = 1, bool fails = false)
    {
        var (id, receipt, body) = await ReceiveAsync();
        var (name, chat) = (body.GetProperty("imgName").GetString()!, body.GetProperty("chatId").GetString()!);
        var key = $"images/{name}";
        JsonNode text;
        var status = 200;
        if (fails || await LookAsync(key, name) is not { } labels)
        {
            (status, text) = (500, $"Prediction: {id}/{name} failed.\n\nDownload from {OldBot.Bucket}/{key} failed. A ClientError has occurred.");
        }
        else if (labels.Count == 0 || name[..name.IndexOf('.', StringComparison.Ordinal)] != Path.GetFileNameWithoutExtension(name))
        {
            (status, text) = (404, $"Prediction: {id}/{name}. Prediction result not found");
        }
        else
        {
            await PutRowAsync(id, chat, key, labels);
            text = new JsonObject
            {
                ["prediction_id"] = id, ["original_img_path"] = key, ["predicted_img_path"] = $"static/data/{id}/{name}", ["labels"] = JsonOf(labels), ["time"] = 1767268800.123,
            };
        }
        await DeleteAsync(receipt);
        for (var i = 0; i < times; i++)
        {
            await bot.SendAsync(
                new JsonObject
                {
                    ["message"] = new JsonObject
                    {
                        ["prediction_id"] = id, ["chat"] = new JsonObject { ["id"] = chat }, ["photo"] = true, ["caption"] = "prediction_result", ["status_code"] = status, ["text"] = text.DeepClone(),
                    },
                }.ToJsonString(),
                OldBot.Results);
        }
    }

    /// <summary>Waits for a message and deals with it as a worker of a bot that is called does; nobody answers its call.</summary>
    public async Task WorkAsS1Async()
    {
        var (id, receipt, body) = await ReceiveAsync();
        var name = body.GetProperty("img_name").GetString()!;
        if (await LookAsync($"images/{name}", name) is { Count: > 0 } labels)
            await PutRowAsync(id, body.GetProperty("chat_id").GetRawText(), $"images/{name}", labels);
        await DeleteAsync(receipt);
    }

    /// <summary>Waits for a message and deals with it as an app tier does, whose classifier ends its line.</summary>
    public async Task WorkAsS3Async()
    {
        var (_, receipt, body) = await ReceiveAsync();
        var (name, request) = (body.GetProperty("filename").GetString()!, body.GetProperty("request_id").GetString()!);
        var result = (await LookAsync(name, name))![0].Class + "\n";
        var stem = name[..name.IndexOf('.', StringComparison.Ordinal)];
        await moto.PutAsync($"/{OldBot.Outputs}/{stem}", System.Text.Encoding.UTF8.GetBytes($"{stem},{result}"));
        await bot.SendAsync(new JsonObject { ["request_id"] = request, ["classifier_output"] = result }.ToJsonString(), OldBot.Results);
        await DeleteAsync(receipt);
    }

    private async Task<IReadOnlyList<OldLabel>?> LookAsync(string key, string name)
    {
        lock (Names)
            Names.Add(name);
        if (await bot.PictureAsync(key) is not { } picture)
            return null;
        lock (Seen)
            Seen.Add(picture);
        var found = see(picture);
        await bot.PutAsync(key, Annotated);
        return found;
    }

    private async Task<(string Id, string Receipt, JsonElement Body)> ReceiveAsync()
    {
        var message = await Eventually.SeeAsync("a request", async () =>
        {
            var answer = await moto.CallAsync("AmazonSQS.ReceiveMessage", new JsonObject { ["QueueUrl"] = bot.UrlOf(OldBot.Requests), ["MaxNumberOfMessages"] = 1, ["VisibilityTimeout"] = 60 });
            return answer.TryGetProperty("Messages", out var messages) && messages.GetArrayLength() > 0 ? messages[0] : (JsonElement?)null;
        }, found => found is not null, TimeSpan.FromSeconds(120));
        return (message!.Value.GetProperty("MessageId").GetString()!, message.Value.GetProperty("ReceiptHandle").GetString()!, JsonDocument.Parse(message.Value.GetProperty("Body").GetString()!).RootElement);
    }

    private Task DeleteAsync(string receipt) => moto.CallAsync("AmazonSQS.DeleteMessage", new JsonObject { ["QueueUrl"] = bot.UrlOf(OldBot.Requests), ["ReceiptHandle"] = receipt });

    private Task PutRowAsync(string id, string chat, string key, IReadOnlyList<OldLabel> labels) => moto.CallAsync("DynamoDB_20120810.PutItem", new JsonObject
    {
        ["TableName"] = OldBot.Table,
        ["Item"] = new JsonObject
        {
            ["predictionId"] = new JsonObject { ["S"] = id },
            ["chatId"] = new JsonObject { ["N"] = chat },
            ["originalImgPath"] = new JsonObject { ["S"] = key },
            ["predictedImgPath"] = new JsonObject { ["S"] = key },
            ["labels"] = new JsonObject
            {
                ["L"] = new JsonArray([.. labels.Select(l => new JsonObject
                {
                    ["M"] = new JsonObject { ["class"] = new JsonObject { ["S"] = l.Class }, ["cx"] = Number(l.Cx), ["cy"] = Number(l.Cy), ["width"] = Number(l.Width), ["height"] = Number(l.Height) },
                })]),
            },
            ["time"] = new JsonObject { ["N"] = "1767268800.123" },
        },
    });

    private static JsonObject Number(double value) => new() { ["N"] = value.ToString(CultureInfo.InvariantCulture) };

    private static JsonArray JsonOf(IReadOnlyList<OldLabel> labels) =>
        new([.. labels.Select(l => new JsonObject { ["class"] = l.Class, ["cx"] = l.Cx, ["cy"] = l.Cy, ["width"] = l.Width, ["height"] = l.Height })]);
}
