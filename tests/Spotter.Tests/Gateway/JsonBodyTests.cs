using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Tests.Gateway;

/// <summary>Submissions whose body is JSON.</summary>
public sealed class JsonBodyTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Theory]
    [InlineData("""{"image": "PICTURE", "engine": "detect", "confidence": 0.5, "labels": ["dog", "bus"], "annotate": true, "priority": "high", "top": null}""")]
    [InlineData("""  { "engine":"detect","labels":"dog,bus" , "annotate": "true","confidence":"0.5", "priority":"high","image":"PICTURE" }  """)]
    public async Task Options_are_those_of_the_form(string json)
    {
        var picture = GatewayBench.Picture(bytes: 100_001);

        var job = await SubmitAsync(json, picture);

        var input = job.Spec.Inputs.ShouldHaveSingleItem();
        (input.MediaType, input.Bytes, input.Sha256).ShouldBe(("image/png", picture.Length, Convert.ToHexStringLower(SHA256.HashData(picture))));
        var parameters = job.Spec.Parameters.Read(VisionJson.Default.VisionParameters);
        (parameters.Confidence, parameters.Annotate, job.Priority).ShouldBe((0.5, true, JobPriority.High));
        parameters.Labels!.Order(StringComparer.Ordinal).ShouldBe(["bus", "dog"]);
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(2001)]
    [InlineData(2002)]
    [InlineData(200_000)]
    public async Task Pictures_of_any_length_arrive_whole_in_whatever_pieces_they_come(int bytes)
    {
        var picture = GatewayBench.Picture(bytes: bytes);
        using var content = new StreamContent(new DribblingStream(Encoding.ASCII.GetBytes($$"""{"image":"{{Convert.ToBase64String(picture).Replace("/", "\\/", StringComparison.Ordinal)}}"}"""), Math.Max(7, bytes / 300)));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=utf-8");

        using var response = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), content);

        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync());
        var job = (await bench.Jobs.ListAsync(new JobFilter(), default)).ShouldHaveSingleItem();
        job.Spec.Inputs[0].Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(picture)));
    }

    /// <summary>.NET escapes a plus by itself, and Gson the padding.</summary>
    [Theory]
    [InlineData(2000)]
    [InlineData(2001)]
    [InlineData(100_000)]
    public async Task Characters_may_be_escaped_and_lines_may_end(int bytes)
    {
        var picture = GatewayBench.Picture(bytes: bytes);
        var text = string.Join("\\r\\n", Convert.ToBase64String(picture).Chunk(76).Select(line => new string(line)))
            .Replace("+", "\\u002B", StringComparison.Ordinal).Replace("=", "\\u003d", StringComparison.Ordinal).Replace("A", "\\u0041", StringComparison.Ordinal);

        var job = await SubmitAsync($$"""{"image": "{{text}}"}""", picture);

        job.Spec.Inputs.ShouldHaveSingleItem().Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(picture)));
    }

    [Theory]
    [InlineData("\\u00e4")]
    [InlineData("\\u002")]
    [InlineData("\\u00zz")]
    [InlineData("\\b")]
    [InlineData("\\\\")]
    [InlineData("\\")]
    public async Task Other_escapes_are_no_Base64(string escape)
    {
        using var response = await PostAsync($$"""{"image": "{{Convert.ToBase64String(GatewayBench.Picture(bytes: 2001))}}{{escape}}"}""", []);

        ((int)response.StatusCode).ShouldBe(400);
    }

    [Theory]
    [InlineData("""[]""", 400, "invalid_request")]
    [InlineData(""" """, 400, "invalid_request")]
    [InlineData("""nonsense""", 400, "invalid_request")]
    [InlineData("""{"image": 7}""", 400, "invalid_request")]
    [InlineData("""{"image": {"image": "PICTURE"}}""", 400, "invalid_request")]
    [InlineData("""[{"image": "PICTURE"}]""", 400, "invalid_request")]
    [InlineData("""{"engine": "image", "image": "PICTURE"}""", 422, "unknown_engine")]
    [InlineData("""{"image": "PICTURE", "image": "PICTURE"}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "iou": 0.5, "iou": 0.5}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "iou": [0.5]}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "colour": {"red": 1}}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "colour": 1}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "iou": 2}""", 422, "threshold_out_of_range")]
    [InlineData("""{"image": "PICTURE", "labels": "\ud800"}""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE", "url": "https://10.0.0.1/"}""", 422, "url_forbidden")]
    [InlineData("""{"url": ["http://localhost/a.jpg"]}""", 422, "url_forbidden")]
    [InlineData("""{"url": 7}""", 422, "url_forbidden")]
    [InlineData("""{"url": [7]}""", 400, "invalid_request")]
    [InlineData("""{"url": []}""", 422, "empty_body")]
    [InlineData("""{"image": "PICTURE"} and more""", 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE" """, 400, "invalid_request")]
    [InlineData("""{"image": "PICTURE""", 400, "invalid_request")]
    [InlineData("""{"image": "data:image/png;base64,PICTURE"}""", 400, "invalid_request")]
    [InlineData("""{"image": "*PICTURE"}""", 400, "invalid_request")]
    [InlineData("""{"image": ""}""", 422, "empty_body")]
    [InlineData("""{"image": "aGVsbG8="}""", 415, "unsupported_image")]
    public async Task What_is_no_such_document_is_refused_and_leaves_nothing_behind(string json, int status, string code)
    {
        using var response = await PostAsync(json, GatewayBench.Picture());

        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, body);
        JsonDocument.Parse(body).RootElement.GetProperty("code").GetString().ShouldBe(code);
        bench.Backend.Blobs.ListAsync("in/", DateTimeOffset.MaxValue, default).ToBlockingEnumerable().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_more_than_fits_beside_a_picture_is_refused()
    {
        using var response = await PostAsync($$"""{"image": "PICTURE", "labels": "{{new string('a', 70_000)}}"}""", GatewayBench.Picture());

        ((int)response.StatusCode).ShouldBe(400);
        (await response.Content.ReadAsStringAsync()).ShouldContain("more than 64 KiB");
    }

    [Fact]
    public async Task A_picture_may_be_as_large_as_in_any_other_way_and_no_larger()
    {
        await SubmitAsync("""{"image": "PICTURE"}""", GatewayBench.Picture(bytes: (int)bench.Settings.Jobs.MaxInputBytes));

        using var response = await PostAsync("""{"image": "PICTURE"}""", GatewayBench.Picture(bytes: (int)bench.Settings.Jobs.MaxInputBytes + 1));

        ((int)response.StatusCode).ShouldBe(413);
    }

    [Fact]
    public async Task Random_documents_are_never_our_fault()
    {
        var random = RandomSource.Seeded(3);
        string[] pieces =
        [
            "{", "}", "[", "]", "\"", "\\", ":", ",", " ", "image", "\"image\":", "\"image\"", "PICTURE", "\"PICTURE\"", "0.5", "true", "null", "\"iou\":", "\"labels\":", "\\u0000", "é", "\0",
        ];
        var parts = new byte[16];
        for (var i = 0; i < 400; i++)
        {
            random.Fill(parts);
            var json = string.Concat(parts.Take(1 + (parts[0] % 16)).Select(p => pieces[p % pieces.Length]));
            using var response = await PostAsync(i % 2 == 0 ? json : "{" + json, GatewayBench.Picture(bytes: 100));

            ((int)response.StatusCode).ShouldBeLessThan(500, $"round {i}: {json}");
        }
    }

    private async Task<Job> SubmitAsync(string json, byte[] picture)
    {
        using var response = await PostAsync(json, picture);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync());
        return (await bench.Jobs.FindAsync(JobId.Parse(response.Headers.Location!.ToString().Split('/')[^1]), default))!;
    }

    private async Task<HttpResponseMessage> PostAsync(string json, byte[] picture)
    {
        using var content = GatewayBench.Body(Encoding.UTF8.GetBytes(json.Replace("PICTURE", Convert.ToBase64String(picture), StringComparison.Ordinal)), "application/json");
        return await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), content);
    }

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class DribblingStream(byte[] bytes, int most) : MemoryStream(bytes, 0, bytes.Length, writable: false, publiclyVisible: true)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(most, buffer.Length)], cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            base.ReadAsync(buffer, offset, Math.Min(most, count), cancellationToken);

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) => SlowlyAsync(destination, cancellationToken);

        private async Task SlowlyAsync(Stream destination, CancellationToken cancel)
        {
            for (var at = 0; at < Length; at += most)
            {
                await destination.WriteAsync(GetBuffer().AsMemory(at, (int)Math.Min(most, Length - at)), cancel);
                await destination.FlushAsync(cancel);
            }
        }
    }
}
