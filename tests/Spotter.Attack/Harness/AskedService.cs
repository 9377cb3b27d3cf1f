using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Spotter.EndToEnd.Telegram;

namespace Spotter.Attack.Harness;

/// <summary>A service with a port for cameras and a Telegram bot, and two keys: of one who is slow, and of the others.</summary>
internal sealed class AskedService : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private string others = "";
    private string secret = "";
    private int asked;

    /// <summary>The service.</summary>
    public SpotterProcess Process { get; private set; } = null!;

    /// <summary>The key of the one who is slow.</summary>
    public string SlowKey { get; private set; } = "";

    /// <summary>What Telegram shows with each update.</summary>
    public string Secret => $"X-Telegram-Bot-Api-Secret-Token: {secret}\r\n";

    /// <summary>Starts one, and its worker.</summary>
    public static async Task<AskedService> StartAsync(FakeBotApi bot)
    {
        var service = new AskedService();
        var data = service.folder.File("data");
        await File.WriteAllTextAsync(service.folder.File("token"), FakeBotApi.Token);
        service.SlowKey = await KeyedService.AddKeyAsync(data, "slow", "red", "submit,read");
        service.others = await KeyedService.AddKeyAsync(data, "others", "blue", "submit,read");
        service.Process = await SpotterProcess.StartAsync(
            data, PatchModel.Write(service.folder.File("patches.onnx")),
            ["--min-workers", "1", "--max-workers", "1", "--lanes", "2", "--client-rate", "100000", "--deepstack-port", "0", "--telegram-token-file", service.folder.File("token"), "--telegram-api", bot.Address.ToString(), "--telegram-public-url", "http://spotter.example"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__CAMERAS__TIMEOUTSECONDS"] = "60" });
        await Eventually.BeAsync("the webhook is set", () => bot.Webhook is not null);
        service.secret = bot.Webhook!["secret_token"]!.GetValue<string>();
        foreach (var (_, ask) in service.Questions())
            (await ask()).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Accepted);
        return service;
    }

    /// <summary>What others ask, on connections of their own each, and of both ports.</summary>
    public IReadOnlyList<(string What, Func<Task<Answer>> Ask)> Questions() =>
    [
        ("GET /v1/models", () => AskAsync(Process.Address, KeyedService.Request("GET", "/v1/models", others))),
        ("POST /v1/jobs", () => AskAsync(Process.Address, Picture("/v1/jobs?reuse=false", "image"))),
        ("POST /telegram/webhook", () => AskAsync(Process.Address, Update())),
        ("GET /v1/status/ping", () => AskAsync(Process.CameraAddress!, KeyedService.Request("GET", "/v1/status/ping", shown: null))),
        ("POST /v1/vision/detection", () => AskAsync(Process.CameraAddress!, Picture("/v1/vision/detection", "image"))),
    ];

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
            await Process.DisposeAsync();
        folder.Dispose();
    }

    private static async Task<Answer> AskAsync(Uri address, HttpRequestMessage request)
    {
        using var api = new SpotterApi(address);
        return await api.SendAsync(request);
    }

    private HttpRequestMessage Picture(string path, string part)
    {
        var request = KeyedService.Request("POST", path, others);
        var picture = new ByteArrayContent(Pictures.Png((byte)(Interlocked.Increment(ref asked) % 250))) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } };
        request.Content = new MultipartFormDataContent { { picture, part, "a.png" } };
        return request;
    }

    /// <summary>A message of a chat that has said nothing yet.</summary>
    private HttpRequestMessage Update()
    {
        var number = Interlocked.Increment(ref asked);
        var update = string.Create(CultureInfo.InvariantCulture, $$$"""{"update_id":{{{number}}},"message":{"message_id":{{{number}}},"date":1750000000,"chat":{"id":{{{number}}},"type":"private"},"from":{"id":{{{number}}},"is_bot":false,"first_name":"A"},"text":"good day"}}""");
        var request = new HttpRequestMessage(HttpMethod.Post, "/telegram/webhook") { Content = new StringContent(update, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Telegram-Bot-Api-Secret-Token", secret);
        return request;
    }
}
