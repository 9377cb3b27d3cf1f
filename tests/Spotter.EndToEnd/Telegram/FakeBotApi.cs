using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Spotter.Core.Images;

namespace Spotter.EndToEnd.Telegram;

/// <summary>
/// A Bot API server for one bot: keeps updates until they are fetched or sends them to a webhook, holds files, knows the messages
/// of its chats, and refuses what https://core.telegram.org/bots/api says is refused.
/// </summary>
internal sealed class FakeBotApi : IAsyncDisposable
{
    /// <summary>The token of its bot.</summary>
    public const string Token = "4711:AAf4k3-t0ken_ThatMustNotLeak";

    private readonly WebApplication web;
    private readonly Lock gate = new();
    private readonly List<JsonObject> updates = [];
    private readonly Dictionary<string, (byte[] Bytes, long Size)> files = new(StringComparer.Ordinal);
    private readonly HashSet<string> lost = new(StringComparer.Ordinal);
    private readonly Dictionary<(long, int), BotMessage> messages = [];
    private readonly ConcurrentQueue<BotCall> calls = new();
    private TaskCompletionSource arrived = NewSource();
    private int nextUpdate = 1000;
    private int nextMessage = 100;
    private int polls;

    private FakeBotApi(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{port}");
        web = builder.Build();
        web.Run(AnswerAsync);
    }

    /// <summary>Its address.</summary>
    public Uri Address => new(web.Urls.First());

    /// <summary>Asked before each call; an answer other than null is given instead, with its status.</summary>
    public Func<BotCall, (int Status, JsonObject Body)?> Intercept { get; set; } = _ => null;

    /// <summary>Where updates are to be sent; null while they are to be fetched.</summary>
    public JsonObject? Webhook { get; private set; }

    /// <summary>The calls so far, but those that fetch updates.</summary>
    public IReadOnlyList<BotCall> Calls => [.. calls];

    /// <summary>How many of the calls wait for updates now.</summary>
    public int Polls => polls;

    /// <summary>Starts one.</summary>
    public static async Task<FakeBotApi> StartAsync(int port = 0)
    {
        var server = new FakeBotApi(port);
        await server.web.StartAsync();
        return server;
    }

    /// <summary>An answer that something is refused.</summary>
    public static (int Status, JsonObject Body) Refusal(int code, string description, JsonObject? parameters = null)
    {
        var body = new JsonObject { ["ok"] = false, ["error_code"] = code, ["description"] = description };
        if (parameters is not null)
            body["parameters"] = parameters;
        return (code, body);
    }

    /// <summary>The messages of a chat as they stand now, in order; those of the bot only.</summary>
    public IReadOnlyList<BotMessage> In(long chat)
    {
        lock (gate)
            return [.. messages.Values.Where(m => m.Chat == chat).OrderBy(m => m.Id)];
    }

    /// <summary>Waits until a chat has so many messages of the bot, none of which is a placeholder any more.</summary>
    public async Task<IReadOnlyList<BotMessage>> AnswersAsync(long chat, int count = 1) =>
        await Eventually.SeeAsync(
            $"{count} answers in chat {chat}", () => Task.FromResult(In(chat)),
            all => all.Count >= count && all.All(m => m.Text != "Processing, please wait..."), TimeSpan.FromSeconds(60));

    /// <summary>Keeps a file that somebody sent; its id.</summary>
    /// <param name="bytes">What is in it.</param>
    /// <param name="size">How large it claims to be.</param>
    public string Hold(byte[] bytes, long? size = null)
    {
        lock (gate)
        {
            var id = $"file{files.Count}";
            files[id] = (bytes, size ?? bytes.Length);
            return id;
        }
    }

    /// <summary>A file whose bytes are gone.</summary>
    public string HoldLost()
    {
        var id = Hold([]);
        lock (gate)
            lost.Add(id);
        return id;
    }

    /// <summary>A message of somebody, in the words of the Bot API.</summary>
    public JsonObject Message(long chat, string? text = null, Action<JsonObject>? change = null)
    {
        var message = new JsonObject
        {
            ["message_id"] = NextId(), ["date"] = 1_750_000_000, ["chat"] = new JsonObject { ["id"] = chat, ["type"] = chat < 0 ? "supergroup" : "private" },
            ["from"] = new JsonObject { ["id"] = Math.Abs(chat), ["is_bot"] = false, ["first_name"] = "Somebody" },
        };
        if (text is not null)
            message["text"] = text;
        change?.Invoke(message);
        return message;
    }

    /// <summary>A photo of somebody.</summary>
    public JsonObject Photo(long chat, byte[] picture, string? caption = null, string? album = null, Action<JsonObject>? change = null) => Message(chat, change: message =>
    {
        var header = ImageHeader.Read(picture, complete: true);
        JsonObject Size(string id, int width, int height) => new() { ["file_id"] = id, ["file_unique_id"] = id, ["width"] = width, ["height"] = height, ["file_size"] = picture.Length };
        message["photo"] = new JsonArray(Size("thumbnail", 10, 10), Size(Hold(picture), Math.Max(11, header.Width), Math.Max(11, header.Height)));
        if (caption is not null)
            message["caption"] = caption;
        if (album is not null)
            message["media_group_id"] = album;
        change?.Invoke(message);
    });

    /// <summary>An update with a message, whose id is the next.</summary>
    public JsonObject Update(JsonObject message, string kind = "message")
    {
        lock (gate)
            return new JsonObject { ["update_id"] = nextUpdate++, [kind] = message.DeepClone() };
    }

    /// <summary>Keeps an update to be fetched, as one that was just sent.</summary>
    public JsonObject Push(JsonObject message, string kind = "message")
    {
        var update = Update(message, kind);
        Push([update]);
        return update;
    }

    /// <summary>Keeps updates to be fetched.</summary>
    public void Push(IEnumerable<JsonObject> some)
    {
        lock (gate)
        {
            updates.AddRange(some);
            arrived.TrySetResult();
            arrived = NewSource();
        }
    }

    /// <summary>Forgets that anything was confirmed: all that it is given is kept.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return updates.Count;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.Zero);
        await web.StopAsync(hurry.Token);
        await web.DisposeAsync();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int NextId()
    {
        lock (gate)
            return nextMessage++;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        if (path.StartsWith($"/file/bot{Token}/", StringComparison.Ordinal))
        {
            await SendFileAsync(http, path[$"/file/bot{Token}/".Length..]);
            return;
        }
        if (!path.StartsWith($"/bot{Token}/", StringComparison.Ordinal))
        {
            await WriteAsync(http, Refusal(401, "Unauthorized"));
            return;
        }
        var call = await BotCall.ReadAsync(path[$"/bot{Token}/".Length..], http.Request);
        if (call.Method != "getUpdates")
            calls.Enqueue(call);
        await WriteAsync(http, Intercept(call) ?? (call.Method == "getUpdates" ? await UpdatesAsync(call, http.RequestAborted) : Do(call)));
    }

    private async Task SendFileAsync(HttpContext http, string id)
    {
        byte[]? bytes;
        lock (gate)
            bytes = files.TryGetValue(id, out var file) && !lost.Contains(id) ? file.Bytes : null;
        if (bytes is null)
            await WriteAsync(http, Refusal(404, "Not Found"));
        else
            await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext http, (int Status, JsonObject Body) answer)
    {
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.Body.ToJsonString());
    }

    private static (int Status, JsonObject Body) Ok(JsonNode? result) => (200, new JsonObject { ["ok"] = true, ["result"] = result });

    private async Task<(int Status, JsonObject Body)> UpdatesAsync(BotCall call, CancellationToken gone)
    {
        if (Webhook is not null)
            return Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
        if (Interlocked.Increment(ref polls) > 1)
        {
            Interlocked.Decrement(ref polls);
            return Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
        }
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(gone);
            late.CancelAfter(TimeSpan.FromSeconds(call.Number("timeout")));
            while (true)
            {
                Task wake;
                lock (gate)
                {
                    var from = call.Number("offset");
                    if (from > 0)
                        updates.RemoveAll(u => u["update_id"]!.GetValue<int>() < from);
                    if (updates.Count > 0 || late.IsCancellationRequested)
                        return Ok(new JsonArray([.. updates.Take((int)Math.Max(1, call.Number("limit"))).Select(u => u.DeepClone())]));
                    wake = arrived.Task;
                }
                await wake.WaitAsync(late.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            Interlocked.Decrement(ref polls);
        }
    }

    private (int Status, JsonObject Body) Do(BotCall call)
    {
        switch (call.Method)
        {
            case "getMe":
                return Ok(new JsonObject { ["id"] = 4711, ["is_bot"] = true, ["first_name"] = "Spotter", ["username"] = "spotter_test_bot" });
            case "setWebhook":
                Webhook = call.AsJson();
                return Ok(true);
            case "deleteWebhook":
                Webhook = null;
                return Ok(true);
            case "getWebhookInfo":
                return Ok(new JsonObject { ["url"] = Webhook?["url"]?.GetValue<string>() ?? "", ["has_custom_certificate"] = false, ["pending_update_count"] = Waiting });
            case "getFile":
                return GetFile(call);
            case "sendMessage":
                return Text(call) ?? Send(call, [new BotMessage(call.Chat, NextId(), call.Text("text"), null, call)]);
            case "sendPhoto":
            case "sendDocument":
                return Picture(call, call.Method == "sendPhoto" ? "photo" : "document", call.Text("caption"), call.Files.Values.FirstOrDefault());
            case "sendMediaGroup":
                return Group(call);
            case "editMessageText":
                return Text(call) ?? Edit(call, m => m with { Text = call.Text("text"), Picture = null });
            case "editMessageMedia":
                return EditMedia(call);
            case "deleteMessage":
                lock (gate)
                    return messages.Remove((call.Chat, (int)call.Number("message_id"))) ? Ok(true) : Refusal(400, "Bad Request: message to delete not found");
            default:
                return Ok(true);
        }
    }

    private (int Status, JsonObject Body) GetFile(BotCall call)
    {
        lock (gate)
        {
            if (!files.TryGetValue(call.Text("file_id") ?? "", out var file))
                return Refusal(400, "Bad Request: invalid file_id");
            return file.Size > 20 << 20
                ? Refusal(400, "Bad Request: file is too big")
                : Ok(new JsonObject { ["file_id"] = call.Text("file_id"), ["file_unique_id"] = "u", ["file_size"] = file.Size, ["file_path"] = call.Text("file_id") });
        }
    }

    private static (int Status, JsonObject Body)? Text(BotCall call) => call.Text("text") switch
    {
        null or "" => Refusal(400, "Bad Request: message text is empty"),
        { Length: > 4096 } => Refusal(400, "Bad Request: message is too long"),
        _ when call.AsJson()["reply_markup"] is { } markup && markup.ToJsonString().Split("\"callback_data\":\"").Skip(1).Any(d => Encoding.UTF8.GetByteCount(d.Split('"')[0]) > 64)
            => Refusal(400, "Bad Request: BUTTON_DATA_INVALID"),
        _ => null,
    };

    private (int Status, JsonObject Body) Picture(BotCall call, string kind, string? caption, byte[]? bytes) =>
        Check(kind, caption, bytes) ?? Send(call, [new BotMessage(call.Chat, NextId(), caption, bytes, call) { Kind = kind }]);

    private static (int Status, JsonObject Body)? Check(string kind, string? caption, byte[]? bytes)
    {
        if (caption?.Length > 1024)
            return Refusal(400, "Bad Request: message caption is too long");
        if (bytes is null)
            return Refusal(400, "Bad Request: there is no file in the request");
        if (kind != "photo")
            return bytes.Length > 50 << 20 ? Refusal(413, "Request Entity Too Large") : null;
        var header = ImageHeader.Read(bytes, complete: true);
        if (bytes.Length > 10 << 20)
            return Refusal(400, "Bad Request: file is too big for a photo");
        return header.Width + header.Height > 10_000 || Math.Max(header.Width, header.Height) > 20 * Math.Min(header.Width, header.Height)
            ? Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
            : null;
    }

    private (int Status, JsonObject Body) Group(BotCall call)
    {
        var media = JsonNode.Parse(call.Text("media")!)!.AsArray();
        if (media.Count is < 2 or > 10 || media.Select(m => m!["type"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count() > 1)
            return Refusal(400, "Bad Request: wrong media group");
        var made = new List<BotMessage>();
        foreach (var item in media)
        {
            var bytes = call.Files.GetValueOrDefault(item!["media"]!.GetValue<string>().Replace("attach://", "", StringComparison.Ordinal));
            var kind = item["type"]!.GetValue<string>();
            if (Check(kind, item["caption"]?.GetValue<string>(), bytes) is { } refused)
                return refused;
            made.Add(new BotMessage(call.Chat, NextId(), item["caption"]?.GetValue<string>(), bytes, call) { Kind = kind });
        }
        return Send(call, made);
    }

    private (int Status, JsonObject Body) Send(BotCall call, IReadOnlyList<BotMessage> made)
    {
        lock (gate)
        {
            foreach (var message in made)
                messages[(message.Chat, message.Id)] = message;
        }
        var written = made.Select(m => (JsonNode?)Written(m)).ToArray();
        return Ok(call.Method == "sendMediaGroup" ? new JsonArray(written) : written[0]);
    }

    private (int Status, JsonObject Body) Edit(BotCall call, Func<BotMessage, BotMessage> change)
    {
        lock (gate)
        {
            if (!messages.TryGetValue((call.Chat, (int)call.Number("message_id")), out var before))
                return Refusal(400, "Bad Request: message to edit not found");
            var after = change(before);
            if (after.Text == before.Text && (after.Picture ?? []).AsSpan().SequenceEqual(before.Picture ?? []))
                return Refusal(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message");
            messages[(after.Chat, after.Id)] = after;
            return Ok(Written(after));
        }
    }

    private (int Status, JsonObject Body) EditMedia(BotCall call)
    {
        var media = JsonNode.Parse(call.Text("media")!)!;
        var (kind, caption) = (media["type"]!.GetValue<string>(), media["caption"]?.GetValue<string>());
        var bytes = call.Files.GetValueOrDefault(media["media"]!.GetValue<string>().Replace("attach://", "", StringComparison.Ordinal));
        return Check(kind, caption, bytes) ?? Edit(call, m => m with { Text = caption, Picture = bytes, Kind = kind });
    }

    private static JsonObject Written(BotMessage message) => new()
    {
        ["message_id"] = message.Id, ["date"] = 1_750_000_000, ["chat"] = new JsonObject { ["id"] = message.Chat, ["type"] = "private" }, ["text"] = message.Text,
    };
}

/// <summary>A message of the bot as its chat shows it.</summary>
internal sealed record BotMessage(long Chat, int Id, string? Text, byte[]? Picture, BotCall Sent)
{
    /// <summary>How its picture was sent: <c>photo</c> or <c>document</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>The message that it answers; null for none.</summary>
    public int? Answers => Sent.Text("reply_parameters") is { } reply ? JsonNode.Parse(reply)!["message_id"]!.GetValue<int>() : null;

    /// <summary>Width and height of its picture.</summary>
    public (int Width, int Height) Size => ImageHeader.Read(Picture, complete: true) is var header ? (header.Width, header.Height) : default;
}

/// <summary>A call to the Bot API.</summary>
internal sealed record BotCall(string Method, IReadOnlyDictionary<string, string> Fields, IReadOnlyDictionary<string, byte[]> Files)
{
    /// <summary>The chat that it goes to; 0 for none.</summary>
    public long Chat => Number("chat_id");

    /// <summary>A field; null when it was not sent.</summary>
    public string? Text(string name) => Fields.GetValueOrDefault(name);

    /// <summary>A number; 0 when it was not sent.</summary>
    public long Number(string name) => long.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>The fields as one object.</summary>
    public JsonObject AsJson() => new(Fields.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)JsonValue.Create(f.Value))));

    /// <summary>Reads one, as JSON or as a form.</summary>
    public static async Task<BotCall> ReadAsync(string method, HttpRequest request)
    {
        var fields = request.Query.ToDictionary(q => q.Key, q => q.Value.ToString(), StringComparer.Ordinal);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (request.HasFormContentType)
        {
            var form = await request.ReadFormAsync();
            foreach (var (name, value) in form)
                fields[name] = value.ToString();
            foreach (var file in form.Files)
            {
                using var bytes = new MemoryStream();
                await file.CopyToAsync(bytes);
                files[file.Name] = bytes.ToArray();
            }
        }
        else if (request.HasJsonContentType())
        {
            using var bytes = new MemoryStream();
            await request.Body.CopyToAsync(bytes);
            using var body = JsonDocument.Parse(bytes.Length == 0 ? "{}"u8.ToArray() : bytes.ToArray());
            foreach (var field in body.RootElement.EnumerateObject())
                fields[field.Name] = field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText();
        }
        return new BotCall(method, fields, files);
    }
}
