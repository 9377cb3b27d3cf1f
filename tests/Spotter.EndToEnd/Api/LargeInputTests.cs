using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Spotter.Examples.Engines.Frames;

namespace Spotter.EndToEnd.Api;

/// <summary>Inputs that are larger than pictures may be, to an engine that takes them.</summary>
public sealed class LargeInputTests : IAsyncLifetime
{
    private const int Mebibyte = 1 << 20;

    private ExampleProgram program = null!;

    public async Task InitializeAsync() => program = await ExampleProgram.StartAsync();

    public async Task DisposeAsync() => await program.DisposeAsync();

    [LinuxFact]
    public async Task A_video_of_256_MiB_is_never_in_memory()
    {
        // What serving takes at all is there after a small one.
        (await SubmitAsync(Video(frames: 50))).GetProperty("state").GetString().ShouldBe("succeeded");
        var before = program.PeakMemoryBytes;

        var job = await SubmitAsync(Video(frames: 582));

        job.GetProperty("state").GetString().ShouldBe("succeeded");
        job.GetProperty("result").GetProperty("frames").GetInt32().ShouldBe(582);
        (program.PeakMemoryBytes - before).ShouldBeLessThan(50L * Mebibyte);
        foreach (var output in job.GetProperty("outputs").EnumerateArray())
        {
            var bytes = await program.Client.GetByteArrayAsync(new Uri(output.GetProperty("url").GetString()!, UriKind.Relative));
            bytes.Length.ShouldBe(output.GetProperty("bytes").GetInt32());
        }
        await Eventually.BeAsync("the worker deletes its files", () => program.Scratch.Count == 0);
    }

    [Fact]
    public async Task More_than_the_engine_takes_is_refused_before_it_is_read_and_in_its_own_words()
    {
        var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST /v1/jobs?engine=frames HTTP/1.1\r\nHost: {program.Address.Authority}\r\nContent-Type: video/x-yuv4mpeg\r\nContent-Length: {(2L << 30) + Mebibyte}\r\nConnection: close\r\n\r\n"));

        var (status, body) = RawRequest.Read(await RawRequest.SendAsync(program.Address, head, new MemoryStream("YUV4MPEG2 W2 H2\n"u8.ToArray()), chunked: false));

        ShouldBe(status, body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)], 413, "body_too_large", "The engine 'frames' takes at most 2048 MiB in one request; send less.");
    }

    [Theory]
    [InlineData("engine", "image")]
    [InlineData("image", "engine")]
    public async Task An_engine_that_takes_less_refuses_what_streams_in(string first, string second)
    {
        using var form = new MultipartFormDataContent();
        foreach (var part in (string[])[first, second])
        {
            if (part == "engine")
                form.Add(new StringContent("size"), "engine");
            else
                form.Add(new ByteArrayContent(Picture(9 * Mebibyte)), "image", "a.gif");
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/jobs") { Content = form };
        request.Headers.TransferEncodingChunked = true;

        using var response = await program.Client.SendAsync(request);

        ShouldBe((int)response.StatusCode, await response.Content.ReadAsStringAsync(), 413, "body_too_large", "The engine 'size' takes at most 8 MiB in one request; send less.");
        await Eventually.BeAsync("what was refused is deleted", () => program.Blobs.Count == 0);
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes("YUV4MPEG2 W2 H2\n")) { Headers = { ContentType = new MediaTypeHeaderValue("video/x-yuv4mpeg") } };

        using var response = await program.Client.PostAsync(new Uri("v1/jobs?engine=size", UriKind.Relative), content);

        ((int)response.StatusCode).ShouldBe(415);
        program.Blobs.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_within_its_upload_leaves_nothing_behind(bool multipart)
    {
        var length = 64 * Mebibyte;
        var head = multipart
            ? "Content-Type: multipart/form-data; boundary=x\r\n" : "Content-Type: video/x-yuv4mpeg\r\n";
        var begin = multipart ? "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a\0b\"\r\n\r\n" : "";
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(program.Address.Host, program.Address.Port);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"POST /v1/jobs?engine=frames HTTP/1.1\r\nHost: {program.Address.Authority}\r\n{head}Content-Length: {length}\r\n\r\n{begin}")));
            await stream.WriteAsync(new byte[8 * Mebibyte]);
            await Eventually.BeAsync("it is being written", () => program.Blobs.Count > 0);
        }

        await Eventually.BeAsync("it is deleted", () => program.Blobs.Count == 0);
    }

    [Theory]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nYUV4MPEG2 and no end")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nYUV4MPEG2\r\n--x\r\nContent-Disposition: form-data; name=\"eng")]
    public async Task A_form_that_is_cut_off_is_refused_and_leaves_nothing_behind(string body)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");

        using var response = await program.Client.PostAsync(new Uri("v1/jobs?engine=frames", UriKind.Relative), content);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await Eventually.BeAsync("what was refused is deleted", () => program.Blobs.Count == 0);
    }

    [Fact]
    public async Task Ten_thousand_fields_are_refused()
    {
        var body = new StringBuilder();
        for (var i = 0; i < 10_000; i++)
            body.Append("--x\r\nContent-Disposition: form-data; name=\"labels\"\r\n\r\na\r\n");
        using var content = new StringContent(body.Append("--x--\r\n").ToString());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");

        using var response = await program.Client.PostAsync(new Uri("v1/jobs", UriKind.Relative), content);

        ShouldBe((int)response.StatusCode, await response.Content.ReadAsStringAsync(), 400, "invalid_request", "The request has more than 64 fields.");
    }

    private static StreamContent Video(int frames) =>
        new(new SampleVideo(640, 480, frames, i => (byte)i)) { Headers = { ContentType = new MediaTypeHeaderValue("video/x-yuv4mpeg") } };

    private static byte[] Picture(int bytes)
    {
        var gif = new byte[bytes];
        ReadOnlySpan<byte> head = [.. "GIF89a"u8, 8, 0, 6, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 8, 0, 6, 0, 0];
        head.CopyTo(gif);
        return gif;
    }

    private static void ShouldBe(int status, string body, int expected, string code, string detail)
    {
        status.ShouldBe(expected, body);
        using var problem = JsonDocument.Parse(body);
        (problem.RootElement.GetProperty("code").GetString(), problem.RootElement.GetProperty("detail").GetString()).ShouldBe((code, detail));
    }

    private async Task<JsonElement> SubmitAsync(HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/jobs?engine=frames") { Content = content };
        request.Headers.Add("Prefer", "wait=60");
        using var response = await program.Client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue(body);
        return JsonDocument.Parse(body).RootElement;
    }
}
