using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>What is wrong is refused with a stable code, leaves nothing behind, and costs the service nothing.</summary>
public sealed class BadInputTests(RunningService service) : IClassFixture<RunningService>, IAsyncLifetime
{
    private const int Limit = 20 * 1024 * 1024;

    private IReadOnlyList<string> blobsBefore = [];
    private bool kept;

    private SpotterApi Api => service.Api;

    public Task InitializeAsync()
    {
        blobsBefore = service.Blobs();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        if (!kept)
            await Eventually.SeeAsync("no blob is left over", () => Task.FromResult(service.Blobs()), left => left.SequenceEqual(blobsBefore, StringComparer.Ordinal), TimeSpan.FromSeconds(10));
        SpotterApi.StateOf(await Api.RunAsync(Pictures.Png(180))).ShouldBe("succeeded");
        service.Process.Log.Split('\n').ShouldNotContain(line => line.Contains(" fail ", StringComparison.Ordinal) || line.Contains(" warn Kestrel:", StringComparison.Ordinal), service.Process.Log);
    }

    [Fact]
    public async Task An_empty_body()
    {
        (await Api.SubmitBodyAsync(new ByteArrayContent([]))).ShouldBeProblem(422, "empty_body");
        using var octets = Octets([]);
        (await Api.SubmitBodyAsync(octets)).ShouldBeProblem(422, "empty_body");
        (await Api.SubmitAsync([Part.Field("model", "patches")])).ShouldBeProblem(422, "empty_body");
    }

    [Fact]
    public async Task A_picture_without_bytes() =>
        (await Api.SubmitAsync([Part.Image(Pictures.Png(1)), Part.Image([])])).ShouldBeProblem(422, "empty_body");

    [Theory]
    [InlineData("hello, this is a text and no picture at all")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")]
    [InlineData("%PDF-1.7 and so on")]
    [InlineData("<!doctype html><script>alert(1)</script>")]
    [InlineData("II*\0 a TIFF")]
    [InlineData("BM a bitmap")]
    [InlineData("x")]
    public async Task What_is_no_picture(string text) =>
        (await Api.SubmitAsync([Part.Image(Encoding.Latin1.GetBytes(text), "photo.jpg", "image/jpeg")])).ShouldBeProblem(415, "unsupported_image");

    [Fact]
    public async Task A_heic() =>
        (await Api.SubmitAsync([Part.Image([0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8])])).ShouldBeProblem(415, "heic_disabled");

    [Fact]
    public async Task A_jpeg_cut_off_in_its_header() =>
        (await Api.SubmitAsync([Part.Image(Pictures.Jpeg(100)[..40])])).ShouldBeProblem(422, "image_truncated");

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    public async Task A_picture_cut_off_in_its_pixels_fails_as_a_job(string kind)
    {
        kept = true;
        var whole = kind == "jpeg" ? Pictures.Jpeg(100, 800, 600) : Pictures.Png(100, 800, 600);

        var job = await Api.RunAsync(whole[..(whole.Length * 2 / 3)]);

        SpotterApi.StateOf(job).ShouldBe("failed", job.GetRawText());
        job.GetProperty("error").GetProperty("code").GetString().ShouldBe("image_truncated");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
        job.GetProperty("result").ValueKind.ShouldBe(JsonValueKind.Null);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/image")).ShouldBeProblem(422, "image_truncated");
    }

    [Fact]
    public async Task A_png_of_65536_by_65536() =>
        (await Api.SubmitAsync(Pictures.PngHeaderOnly(65_536, 65_536))).ShouldBeProblem(422, "too_many_pixels");

    [Fact]
    public async Task A_jpeg_of_20000_by_14000()
    {
        var picture = Pictures.Jpeg(100);
        var frame = picture.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        (picture[frame + 5], picture[frame + 6], picture[frame + 7], picture[frame + 8]) = (14_000 >> 8, 14_000 & 255, 20_000 >> 8, 20_000 & 255);

        (await Api.SubmitAsync(picture)).ShouldBeProblem(422, "too_many_pixels");
    }

    [Fact]
    public async Task An_animation_is_looked_at_in_its_first_frame() => SquareOf(await RunAsync(Pictures.Gif(64, 64, 200, 40, 90))).ShouldBe(200 / 254.0, 0.01);

    [Fact]
    public async Task Every_kind_of_channels_is_read()
    {
        SquareOf(await RunAsync(Pictures.Png(140, channels: 1))).ShouldBe(140 / 255.0, 0.01);
        SquareOf(await RunAsync(Pictures.Png(140, channels: 4))).ShouldBe(140 / 255.0, 0.01);
        SquareOf(await RunAsync(Pictures.Jpeg(140, components: 1))).ShouldBe(140 / 255.0, 0.01);
        SquareOf(await RunAsync(Pictures.Jpeg(140, components: 3))).ShouldBe(140 / 255.0, 0.01);
        // How dark a printed grey is on a screen depends on the inks' profile.
        SquareOf(await RunAsync(Pictures.Jpeg(140, components: 4))).ShouldBe(140 / 255.0, 0.2);
    }

    [Fact]
    public async Task A_picture_is_what_its_bytes_say_whatever_it_is_called()
    {
        kept = true;
        var picture = Pictures.Png(141);
        var answer = await Api.SubmitAsync([Part.Image(picture, "photo.jpg", "image/jpeg")], waitSeconds: 60);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        (await Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(answer.Json)}/original")).MediaType.ShouldBe("image/png");

        foreach (var name in (string[])["../../etc/passwd", "..\\..\\x", "a\u202Egnp.exe", new string('n', 3000)])
            (await Api.SubmitAsync([Part.Image(picture, name, "text/html")], waitSeconds: 60)).Status.ShouldBe(HttpStatusCode.OK, name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_than_20_MiB(bool chunked)
    {
        // A picture that is fine by its header, so that only its length speaks against it.
        byte[] picture = [.. Pictures.Png(1), .. new byte[Limit]];
        using var content = new StreamContent(new MemoryStream(picture));
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        content.Headers.ContentLength = chunked ? null : picture.Length;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;

        (await Api.SendAsync(request)).ShouldBeProblem(413, "body_too_large");
        (await Api.SubmitAsync([Part.Image(picture)])).ShouldBeProblem(413, "body_too_large");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_than_20_MiB_from_a_client_that_keeps_on_sending(bool chunked)
    {
        var length = chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {5 * Limit}";
        var head = Encoding.ASCII.GetBytes($"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\n{length}\r\n\r\n");
        using var body = new MemoryStream([.. Pictures.Png(1), .. new byte[5 * Limit]]);
        body.SetLength(5 * Limit);

        var (status, text) = RawRequest.Read(await RawRequest.SendAsync(service.Process.Address, head, body, chunked));

        status.ShouldBe(413);
        text.ShouldContain("\"code\":\"body_too_large\"");
    }

    [Fact]
    public async Task Exactly_20_MiB_is_taken()
    {
        kept = true;
        var picture = new byte[Limit];
        Pictures.Png(160).CopyTo(picture, 0);
        using var content = Octets(picture);

        (await Api.SubmitBodyAsync(content)).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task A_thousand_parts() =>
        (await Api.SubmitAsync(Enumerable.Range(0, 1000).Select(_ => Part.Image(Pictures.Png(5))))).ShouldBeProblem(400, "too_many_images");

    [Fact]
    public async Task A_thousand_fields() =>
        (await Api.SubmitAsync([Part.Image(Pictures.Png(5)), .. Enumerable.Range(0, 1000).Select(_ => Part.Field("labels", "square"))])).ShouldBeProblem(400, "invalid_request");

    [Theory]
    [InlineData("engine", "telepathy", 422, "unknown_engine")]
    [InlineData("engine", "annotate", 422, "unknown_engine")]
    [InlineData("engine", "", 422, "unknown_engine")]
    [InlineData("model", "nothing", 422, "unknown_model")]
    [InlineData("model", "../patches", 422, "unknown_model")]
    [InlineData("labels", "unicorn", 422, "unknown_label")]
    [InlineData("confidence", "1.01", 422, "threshold_out_of_range")]
    [InlineData("confidence", "-0.01", 422, "threshold_out_of_range")]
    [InlineData("confidence", "NaN", 422, "threshold_out_of_range")]
    [InlineData("confidence", "Infinity", 422, "threshold_out_of_range")]
    [InlineData("confidence", "1e999", 422, "threshold_out_of_range")]
    [InlineData("confidence", "high", 400, "invalid_request")]
    [InlineData("confidence", "0,5", 400, "invalid_request")]
    [InlineData("confidence", "", 400, "invalid_request")]
    [InlineData("iou", "2", 422, "threshold_out_of_range")]
    [InlineData("iou", "NaN", 422, "threshold_out_of_range")]
    [InlineData("annotate", "maybe", 400, "invalid_request")]
    [InlineData("colour", "red", 400, "invalid_request")]
    [InlineData("callback", "ftp://example.com/", 422, "callback_forbidden")]
    public async Task A_field_that_can_not_be(string name, string value, int status, string code)
    {
        // Behind the picture too: by then it is stored, and has to go again.
        (await Api.SubmitAsync([Part.Field(name, value), Part.Image(Pictures.Png(5))])).ShouldBeProblem(status, code);
        (await Api.SubmitAsync([Part.Image(Pictures.Png(5)), Part.Field(name, value)])).ShouldBeProblem(status, code);
        using var content = Octets(Pictures.Png(5));
        (await Api.SubmitBodyAsync(content, $"?{name}={Uri.EscapeDataString(value)}")).ShouldBeProblem(status, code);
    }

    [Fact]
    public async Task A_field_twice_or_far_too_long()
    {
        (await Api.SubmitAsync([Part.Image(Pictures.Png(5)), Part.Field("iou", "0.5"), Part.Field("iou", "0.6")])).ShouldBeProblem(400, "invalid_request");
        (await Api.SubmitAsync([Part.Image(Pictures.Png(5)), Part.Field("model", new string('m', 100_000))])).ShouldBeProblem(400, "invalid_request");
    }

    [Theory]
    [InlineData("/v1/jobs/0123456789abcdef0123456789abcdef")]
    [InlineData("/v1/jobs/0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("/v1/jobs/1")]
    [InlineData("/v1/jobs/..%2f..%2fetc%2fpasswd")]
    [InlineData("/v1/jobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd/original")]
    [InlineData("/v1/jobs/..%5c..%5cetc/image")]
    [InlineData("/v1/jobs/%252e%252e%252fpasswd/events")]
    [InlineData("/v1/jobs/0123456789abcdef0123456789abcdef/original")]
    [InlineData("/v1/jobs/0123456789abcdef0123456789abcdef/image")]
    [InlineData("/v1/jobs/0123456789abcdef0123456789abcdef/events")]
    [InlineData("/v1/nothing")]
    [InlineData("/nothing.txt")]
    [InlineData("/assets/..%2f..%2fspotter.dll")]
    public async Task What_is_not_there(string path) => (await Api.GetAsync(path)).ShouldBeProblem(404, "not_found");

    [Theory]
    [InlineData("PUT", "/v1/jobs")]
    [InlineData("POST", "/v1/jobs/0123456789abcdef0123456789abcdef")]
    [InlineData("DELETE", "/v1/jobs/0123456789abcdef0123456789abcdef/image")]
    [InlineData("DELETE", "/v1/stats")]
    public async Task A_method_that_is_not_taken(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var answer = await Api.SendAsync(request);

        answer.Status.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.MediaType.ShouldBe("application/problem+json");
        answer.ContentHeaders.Allow.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("/../../../../etc/passwd")]
    [InlineData("/%2e%2e/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/assets/../../../spotter.dll")]
    [InlineData("/assets/%2e%2e/%2e%2e/spotter.dll")]
    [InlineData("//etc/passwd")]
    [InlineData("/v1/jobs/%00")]
    [InlineData("/..\\..\\spotter.dll")]
    public async Task Files_beside_the_page_can_not_be_read(string path)
    {
        var (status, body) = RawRequest.Read(await RawRequest.SendAsync(service.Process.Address, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        status.ShouldBeOneOf(400, 404);
        body.ShouldNotContain("root:");
        body.ShouldNotContain("MZ");
    }

    [Theory]
    [InlineData("multipart/form-data", "no boundary at all")]
    [InlineData("multipart/form-data; boundary=", "--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "")]
    [InlineData("multipart/form-data; boundary=b", "never the boundary")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nno end")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nnot a header\r\n\r\nx\r\n--b--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\n\r\na part without a name\r\n--b--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n")]
    public async Task A_form_that_is_none(string type, string body)
    {
        var answer = RawRequest.Read(await RawRequest.SendAsync(service.Process.Address,
            $"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

        answer.Status.ShouldBeOneOf(400, 415, 422);
        // The body comes in chunks.
        var problem = answer.Body[answer.Body.IndexOf('{', StringComparison.Ordinal)..(answer.Body.LastIndexOf('}') + 1)];
        JsonDocument.Parse(problem).RootElement.GetProperty("code").GetString().ShouldBeOneOf("invalid_request", "unsupported_image", "empty_body");
    }

    [Fact]
    public async Task A_part_with_endless_headers()
    {
        var body = $"--b\r\nContent-Disposition: form-data; name=\"image\"\r\nX: {new string('x', 100_000)}\r\n\r\nx\r\n--b--\r\n";
        var answer = RawRequest.Read(await RawRequest.SendAsync(service.Process.Address,
            $"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

        answer.Status.ShouldBe(400);
        answer.Body.ShouldContain("invalid_request");
    }

    [Theory]
    [InlineData("image/png", "", true)]
    [InlineData("image/png", "", false)]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n", true)]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n", false)]
    [InlineData("application/json", "{\"image\":\"", false)]
    public async Task A_client_that_goes_away_in_the_middle(string type, string before, bool resets)
    {
        // Where exactly it is cut off is chance.
        for (var i = 0; i < 16; i++)
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(service.Process.Address.Host, service.Process.Address.Port);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\nContent-Length: 1000000\r\n\r\n{before}"));
            await stream.WriteAsync(Pictures.Png(3));
            await stream.WriteAsync(new byte[i % 2 * 300_000]);
            if (resets)
                client.Client.LingerState = new(enable: true, seconds: 0);
            client.Close();
        }
    }

    [Theory]
    [InlineData("wait=soon")]
    [InlineData("wait=-1")]
    [InlineData("wait=1.5")]
    public async Task A_wait_that_is_no_number(string preference)
    {
        using var content = Octets(Pictures.Png(5));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = content };
        request.Headers.Add("Prefer", preference);

        (await Api.SendAsync(request)).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task An_idempotency_key_that_is_none()
    {
        (await Api.SubmitAsync(Pictures.Png(5), key: new string('k', 256))).ShouldBeProblem(400, "invalid_request");
        (await Api.SubmitAsync(Pictures.Png(5), key: "two words")).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task The_workers_door_is_closed_to_others()
    {
        foreach (var authorization in (string?[])[null, "Bearer ", "Bearer 0123456789abcdef0123456789abcdef", "Basic x"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/v1/workers/stranger") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            if (authorization is not null)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            (await Api.SendAsync(request)).ShouldBeProblem(401, "unauthorized");
        }
    }

    [Fact]
    public async Task A_picture_is_not_fetched_from_an_inner_address()
    {
        using var content = new StringContent("""{"url": "http://169.254.169.254/"}""", Encoding.UTF8, "application/json");

        (await Api.SubmitBodyAsync(content)).ShouldBeProblem(422, "url_forbidden");
    }

    private static ByteArrayContent Octets(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static double SquareOf(JsonElement job) =>
        job.GetProperty("result").GetProperty("detections").EnumerateArray()
            .First(detection => detection.GetProperty("label").GetString() == "square").GetProperty("confidence").GetDouble();

    private async Task<JsonElement> RunAsync(byte[] picture)
    {
        kept = true;
        var job = await Api.RunAsync(picture);
        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        return job;
    }
}
