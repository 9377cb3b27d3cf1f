using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Spotter.Core.Images;
using Spotter.Examples.Engines.Frames;

namespace Spotter.Examples.Engines;

/// <summary>An engine with a video as its input and several files as its output, as a client sees it.</summary>
public sealed class FramesEngineTests : IAsyncLifetime
{
    // Black, and white from the middle on.
    private const int Frames = 100;

    private Deployment deployment = null!;

    public async Task InitializeAsync() => deployment = await Deployment.StartAsync();

    public async Task DisposeAsync() => await deployment.DisposeAsync();

    [Fact]
    public async Task It_makes_several_files_of_a_video()
    {
        using var job = await SubmitAsync("v1/jobs?engine=frames&every=10", Video());

        var result = job.RootElement.GetProperty("result");
        (result.GetProperty("frames").GetInt32(), result.GetProperty("looked").GetInt32(), result.GetProperty("cuts").GetInt32(), result.GetProperty("seconds").GetDouble())
            .ShouldBe((Frames, 10, 1, 4.0));
        var outputs = job.RootElement.GetProperty("outputs").EnumerateArray().ToDictionary(o => o.GetProperty("name").GetString()!, StringComparer.Ordinal);
        outputs.Keys.ShouldBe(["frames.jsonl", "contact-sheet.png"]);

        using var lines = await FetchAsync(outputs["frames.jsonl"]);
        lines.Content.Headers.ContentType!.MediaType.ShouldBe("application/jsonl");
        lines.Content.Headers.ContentDisposition!.ToString().ShouldBe("attachment; filename=\"frames.jsonl\"");
        var read = (await lines.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        read.Select(line => line.GetProperty("brightness").GetDouble()).ShouldBe([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
        read.Select(line => line.GetProperty("change").GetDouble()).ShouldBe([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);

        using var sheet = await FetchAsync(outputs["contact-sheet.png"]);
        var png = await sheet.Content.ReadAsByteArrayAsync();
        png.Length.ShouldBe(outputs["contact-sheet.png"].GetProperty("bytes").GetInt32());
        var header = ImageHeader.Read(png, complete: true);
        (header.Status, header.Width, header.Height).ShouldBe((ImageHeaderStatus.Known, 1024, 256));
    }

    [Theory]
    [InlineData("engine", "file")]
    [InlineData("file", "engine")]
    public async Task Its_field_may_come_before_the_file_or_after_it(string first, string second)
    {
        using var form = new MultipartFormDataContent();
        foreach (var part in (string[])[first, second])
        {
            if (part == "engine")
                form.Add(new StringContent("frames"), "engine");
            else
                form.Add(Video(), "file", "a.y4m");
        }

        using var job = await SubmitAsync("v1/jobs", form);

        job.RootElement.GetProperty("name").GetString().ShouldBe("a.y4m");
        job.RootElement.GetProperty("outputs").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_video_may_come_as_json_as_well()
    {
        var all = new MemoryStream();
        await Video().CopyToAsync(all);
        var json = $$"""{"engine": "frames", "every": 50, "image": "{{Convert.ToBase64String(all.ToArray())}}", "priority": "high"}""";

        using var job = await SubmitAsync("v1/jobs", new StringContent(json, Encoding.UTF8, "application/json"));

        job.RootElement.GetProperty("result").GetProperty("looked").GetInt32().ShouldBe(2);
        job.RootElement.GetProperty("priority").GetString().ShouldBe("high");
    }

    [Fact]
    public async Task What_is_no_video_fails_with_what_to_do()
    {
        using var job = await SubmitAsync("v1/jobs?engine=frames", Body(new MemoryStream(Encoding.ASCII.GetBytes("RIFF, perhaps\n"))));

        job.RootElement.GetProperty("state").GetString().ShouldBe("failed");
        job.RootElement.GetProperty("error").GetProperty("code").GetString().ShouldBe("unsupported_media_type");
        var id = job.RootElement.GetProperty("id").GetString();
        using var none = await deployment.Client.GetAsync(new Uri($"v1/jobs/{id}/outputs/frames.jsonl", UriKind.Relative));
        none.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task Only_files_that_the_job_made_are_given()
    {
        using var job = await SubmitAsync("v1/jobs?engine=frames", Video());
        var self = job.RootElement.GetProperty("links").GetProperty("self").GetString()![1..];

        foreach (var name in (string[])["nothing", "%2e%2e%2fframes.jsonl", "..%5cframes.jsonl", "FRAMES.JSONL", ""])
        {
            using var response = await deployment.Client.GetAsync(new Uri($"{self}/outputs/{name}", UriKind.Relative));
            response.StatusCode.ShouldBe(HttpStatusCode.NotFound, name);
        }
    }

    [Fact]
    public async Task Two_videos_at_once_are_refused()
    {
        using var form = new MultipartFormDataContent { { new StringContent("frames"), "engine" }, { Video(), "file", "a" }, { Video(), "file", "b" } };

        using var response = await deployment.Client.PostAsync(new Uri("v1/jobs", UriKind.Relative), form);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        problem.RootElement.GetProperty("detail").GetString().ShouldBe("The engine 'frames' takes at most 1 file in one request; send them one by one.");
    }

    [Fact]
    public async Task The_description_of_the_api_says_what_it_takes_and_how_its_files_are_fetched()
    {
        using var document = JsonDocument.Parse(await deployment.Client.GetStringAsync(new Uri("openapi/v1.json", UriKind.Relative)));
        var paths = document.RootElement.GetProperty("paths");

        var content = paths.GetProperty("/v1/jobs").GetProperty("post").GetProperty("requestBody").GetProperty("content");
        content.TryGetProperty("video/x-yuv4mpeg", out _).ShouldBeTrue();
        var json = content.GetProperty("application/json").GetProperty("schema").GetProperty("properties");
        var form = content.GetProperty("multipart/form-data").GetProperty("schema").GetProperty("properties");
        json.EnumerateObject().Select(p => p.Name).ShouldBe(form.EnumerateObject().Select(p => p.Name));
        json.GetProperty("every").GetProperty("type").GetString().ShouldBe("integer");
        json.GetProperty("image").GetProperty("format").GetString().ShouldBe("byte");
        paths.TryGetProperty("/v1/jobs/{id}/outputs/{name}", out _).ShouldBeTrue();
    }

    private static StreamContent Video() => Body(new SampleVideo(64, 64, Frames, frame => frame < Frames / 2 ? (byte)0 : (byte)255));

    private static StreamContent Body(Stream content) => new(content) { Headers = { ContentType = new MediaTypeHeaderValue("video/x-yuv4mpeg") } };

    private async Task<JsonDocument> SubmitAsync(string address, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, UriKind.Relative)) { Content = content };
        request.Headers.Add("Prefer", "wait=60");
        using var response = await deployment.Client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonDocument.Parse(body);
    }

    private async Task<HttpResponseMessage> FetchAsync(JsonElement output)
    {
        var response = await deployment.Client.GetAsync(new Uri(output.GetProperty("url").GetString()![1..], UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response;
    }
}
