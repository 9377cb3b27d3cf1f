using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Spotter.Faults.Soak;

/// <summary>A client at each door, each of which sends one picture after the other until it is told to stop.</summary>
internal sealed class SoakClients(SpotterApi api, SoakLedger ledger)
{
    public const string Form = "form";
    public const string Json = "json";
    public const string Wait = "wait";
    public const string Predict = "predict";
    public const string Infer = "infer";
    public const string Camera = "camera";
    public const string Mcp = "mcp";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>The doors.</summary>
    public static IReadOnlyList<string> Doors { get; } = [Form, Json, Wait, Predict, Infer, Camera, Mcp];

    /// <summary>Runs them all; what was asked for is carried to its end.</summary>
    public Task RunAsync(string name, CancellationToken stop) => Task.WhenAll(Doors.Select(door => Task.Run(() => RunAsync(door, name, stop), CancellationToken.None)));

    private async Task RunAsync(string door, string name, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            // Bright enough for the door that asks for the most confidence.
            var shade = (byte)(110 + (number % 140));
            var key = string.Create(CultureInfo.InvariantCulture, $"{door}-{name}-{number}");
            // The same key until it is accepted: nobody knows what became of a request whose connection broke. Those without keys are given up.
            while (!await TryAsync(door, key, shade) && door is Form or Json or Wait)
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
            await Task.WhenAny(Task.Delay(Pause, TimeProvider.System, stop));
        }
    }

    private async Task<bool> TryAsync(string door, string key, byte shade)
    {
        try
        {
            var answer = await api.SendAsync(Request(door, key, shade));
            if (answer.Status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.InsufficientStorage or HttpStatusCode.GatewayTimeout)
                return false;
            if (answer.Status is not (HttpStatusCode.OK or HttpStatusCode.Accepted))
            {
                ledger.Wrong($"{key}: {answer}");
            }
            else
            {
                if ((door == Mcp ? Called(answer) : answer.Json) is not { } json)
                    return false;
                Note(door, key, shade, json);
            }
            return true;
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private void Note(string door, string key, byte shade, JsonElement answer)
    {
        var isRight = true;
        switch (door)
        {
            case Form or Json or Wait:
                ledger.Note(door, key, SpotterApi.IdOf(answer), shade);
                if (SpotterApi.IsTerminal(answer))
                    ledger.Ended(answer);
                return;
            case Mcp:
                if (answer.GetProperty("state").GetString() == "succeeded")
                    isRight = Shows(answer.GetProperty("objects").EnumerateArray().Select(o => o.GetProperty("confidence")), shade);
                ledger.Note(door, key, SpotterApi.IdOf(answer), shade);
                break;
            case Infer:
                isRight = Shows(answer.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == "scores").GetProperty("data").EnumerateArray(), shade);
                ledger.Note(door, key, answer.GetProperty("id").GetString()!, shade);
                break;
            case Camera:
                isRight = Shows(answer.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("confidence")), shade);
                ledger.Answered(door);
                break;
            default:
                // It tells no confidence.
                isRight = answer.EnumerateArray().Any(o => o.GetProperty("class").GetString() == "square");
                ledger.Answered(door);
                break;
        }
        if (!isRight)
            ledger.Wrong($"{key} got the answer of another picture: {answer.GetRawText()}");
    }

    private HttpRequestMessage Request(string door, string key, byte shade)
    {
        var picture = Pictures.Png(shade);
        var request = door switch
        {
            Form => Post("/v1/jobs?reuse=false", new MultipartFormDataContent { { new StringContent(ledger.Url), "callback" }, { new ByteArrayContent(picture), "image", "form.png" } }),
            Json => Post("/v1/jobs?reuse=false", Text(JsonSerializer.Serialize(new { image = Convert.ToBase64String(picture) }))),
            Wait => Post("/v1/jobs?reuse=false", new ByteArrayContent(picture) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } }),
            Infer => Post("/v2/models/patches/infer", Text(JsonSerializer.Serialize(
                new { inputs = new[] { new { name = "image", shape = (int[])[1], datatype = "BYTES", data = (string[])[Convert.ToBase64String(picture)] } } }))),
            Mcp => Post("/mcp", Text(JsonSerializer.Serialize(
                new { jsonrpc = "2.0", id = 1, method = "tools/call", @params = new { name = "submit_picture", arguments = new { image = Convert.ToBase64String(picture), wait_seconds = 10 } } }))),
            Camera => Post("/v1/vision/detection", new MultipartFormDataContent { { new ByteArrayContent(picture), "image", "camera.png" } }),
            _ => Post("/predict", new MultipartFormDataContent { { new ByteArrayContent(picture), "file", "predict.png" } }),
        };
        if (door is Form or Json or Wait)
            request.Headers.Add("Idempotency-Key", key);
        if (door == Mcp)
            request.Headers.Add("Accept", "application/json, text/event-stream");
        if (door == Wait)
            request.Headers.Add("Prefer", "wait=20");
        return request;
    }

    /// <summary>The job in the answer to a call of a tool, which comes as an event; null when the tool could not do it now.</summary>
    private static JsonElement? Called(Answer answer)
    {
        var line = answer.Text.Split('\n').Last(l => l.StartsWith("data: ", StringComparison.Ordinal));
        var result = JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("result");
        var text = result.GetProperty("content")[0].GetProperty("text").GetString()!;
        if (!result.TryGetProperty("isError", out var failed) || !failed.GetBoolean())
            return JsonDocument.Parse(text).RootElement;
        return text.Contains("Try again in ", StringComparison.Ordinal) ? null : throw new JsonException($"The tool says: {text}");
    }

    private static HttpRequestMessage Post(string path, HttpContent content) => new(HttpMethod.Post, path) { Content = content };

    private static StringContent Text(string json) => new(json, Encoding.UTF8, "application/json");

    /// <summary>The brightness of the picture is how sure the model is of its square.</summary>
    private static bool Shows(IEnumerable<JsonElement> confidences, byte shade) => confidences.Any(c => Math.Abs(c.GetDouble() - (shade / 255.0)) < 0.006);
}
