using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Spotter.EndToEnd.Harness;

/// <summary>An answer, read to its end.</summary>
public sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, byte[] Bytes)
{
    /// <summary>The body as JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    /// <summary>The body as text.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString(Bytes);

    /// <summary>Its media type, without parameters.</summary>
    public string? MediaType => ContentHeaders.ContentType?.MediaType;

    /// <summary>Holds if this is a problem with this status and code.</summary>
    public void ShouldBeProblem(int status, string code)
    {
        ((int)Status).ShouldBe(status, Text);
        MediaType.ShouldBe("application/problem+json");
        Json.GetProperty("code").GetString().ShouldBe(code);
        Json.GetProperty("status").GetInt32().ShouldBe(status);
        Json.GetProperty("type").GetString().ShouldNotBeNullOrEmpty();
        Json.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        Json.GetProperty("detail").GetString()!.ShouldEndWith(".");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{(int)Status} {Text}";
}

/// <summary>A part of a multipart form.</summary>
public sealed record Part(string Name, byte[] Bytes, string? FileName = null, string? MediaType = null)
{
    /// <summary>A picture as browsers send it.</summary>
    public static Part Image(byte[] bytes, string fileName = "picture.png", string mediaType = "image/png") => new("image", bytes, fileName, mediaType);

    /// <summary>A field.</summary>
    public static Part Field(string name, string value) => new(name, System.Text.Encoding.UTF8.GetBytes(value));
}

/// <summary>A client of the service's API.</summary>
/// <param name="address">The service.</param>
/// <param name="apiKey">The key that it shows; null for none.</param>
public sealed class SpotterApi(Uri address, string? apiKey = null) : IDisposable
{
    private readonly HttpClient client = new()
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(90),
        DefaultRequestHeaders = { Authorization = apiKey is null ? null : new AuthenticationHeaderValue("Bearer", apiKey) },
    };

    public static bool IsTerminal(JsonElement job) =>
        job.GetProperty("state").GetString() is "succeeded" or "failed" or "dead" or "cancelled";

    public static string StateOf(JsonElement job) => job.GetProperty("state").GetString()!;

    public static string IdOf(JsonElement job) => job.GetProperty("id").GetString()!;

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<Answer> DeleteAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Delete, path));

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await client.SendAsync(request);
            return new Answer(response.StatusCode, response.Headers, response.Content.Headers, await response.Content.ReadAsByteArrayAsync());
        }
    }

    /// <summary>Posts a form to <c>/v1/jobs</c>.</summary>
    public Task<Answer> SubmitAsync(IEnumerable<Part> parts, int? waitSeconds = null, string? key = null) =>
        SendAsync(Submission(parts, waitSeconds, key));

    /// <summary>Posts one picture as a form.</summary>
    public Task<Answer> SubmitAsync(byte[] picture, int? waitSeconds = null, string? key = null) =>
        SubmitAsync([Part.Image(picture)], waitSeconds, key);

    /// <summary>Posts bytes as the body.</summary>
    public Task<Answer> SubmitBodyAsync(HttpContent content, string query = "", int? waitSeconds = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs" + query) { Content = content };
        Prefer(request, waitSeconds);
        return SendAsync(request);
    }

    /// <summary>Submits a picture and waits for its end; the job.</summary>
    public async Task<JsonElement> RunAsync(byte[] picture, params Part[] fields)
    {
        var answer = await SubmitAsync([.. fields, Part.Image(picture)], waitSeconds: 60);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    public async Task<JsonElement> JobAsync(string id)
    {
        var answer = await GetAsync($"/v1/jobs/{id}");
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    public Task<JsonElement> EndOfAsync(string id, TimeSpan? within = null) =>
        Eventually.SeeAsync($"job {id} ends", () => JobAsync(id), IsTerminal, within);

    public async Task<JsonElement> StatsAsync() => (await GetAsync("/v1/stats")).Json;

    /// <summary>Every job of the list, page by page.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string query = "", int limit = 100)
    {
        var jobs = new List<JsonElement>();
        string? after = null;
        do
        {
            var page = (await GetAsync(string.Create(CultureInfo.InvariantCulture, $"/v1/jobs?limit={limit}{query}{(after is null ? "" : "&after=" + after)}"))).Json;
            jobs.AddRange(page.GetProperty("jobs").EnumerateArray());
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
        return jobs;
    }

    /// <summary>The events of a job until the server closes the stream.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsAsync(string id)
    {
        using var response = await client.GetAsync(new Uri($"/v1/jobs/{id}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var events = new List<JsonElement>();
        await using var stream = await response.Content.ReadAsStreamAsync();
        await foreach (var item in SseParser.Create(stream).EnumerateAsync())
        {
            item.EventType.ShouldBe("job");
            events.Add(JsonDocument.Parse(item.Data).RootElement);
        }
        return events;
    }

    public void Dispose() => client.Dispose();

    private static HttpRequestMessage Submission(IEnumerable<Part> parts, int? waitSeconds, string? key)
    {
        var form = new MultipartFormDataContent();
        // These tests are about jobs that run, and some of them send one picture often.
        var query = "?reuse=false";
        foreach (var part in parts)
        {
            if (part.Name == "reuse")
                query = "";
            var content = new ByteArrayContent(part.Bytes);
            if (part.MediaType is not null)
                content.Headers.ContentType = MediaTypeHeaderValue.Parse(part.MediaType);
            if (part.FileName is null)
                form.Add(content, part.Name);
            else
                form.Add(content, part.Name, part.FileName);
        }
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs" + query) { Content = form };
        Prefer(request, waitSeconds);
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    private static void Prefer(HttpRequestMessage request, int? waitSeconds)
    {
        if (waitSeconds is { } seconds)
            request.Headers.Add("Prefer", string.Create(CultureInfo.InvariantCulture, $"wait={seconds}"));
    }
}
