using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Spotter.EndToEnd.Api;

/// <summary>What ordinary clients send when nobody tells them otherwise is taken, or refused in a sentence that says what to send.</summary>
public sealed class ClientHabitsTests(RunningService service) : IClassFixture<RunningService>
{
    [Theory]
    [InlineData("--data-binary", "@FILE")]
    [InlineData("--data-binary", "@FILE", "-H", "Content-Type: binary/octet-stream")]
    [InlineData("--data-binary", "@FILE", "-H", "Content-Type:")]
    [InlineData("-H", "Transfer-Encoding: chunked", "-H", "Content-Type:", "--data-binary", "@FILE")]
    [InlineData("-T", "FILE", "-X", "POST")]
    [InlineData("-F", "image=@FILE")]
    [InlineData("-F", "image=@FILE;type=application/octet-stream")]
    [InlineData("-F", "image=<FILE")]
    public async Task A_picture_is_taken_by_its_bytes(params string[] arguments)
    {
        var (status, body) = await CurlAsync(Pictures.Png(120), arguments);

        status.ShouldBe(202, body);
        JsonDocument.Parse(body).RootElement.GetProperty("state").GetString().ShouldNotBeNull();
    }

    [Theory]
    [InlineData("-F", "images=@FILE")]
    [InlineData("-F", "image[]=@FILE")]
    [InlineData("-F", "photo=@FILE")]
    public async Task A_part_of_another_name_is_refused_with_the_name_that_is_taken(params string[] arguments)
    {
        var (status, body) = await CurlAsync(Pictures.Png(120), arguments);

        status.ShouldBe(400);
        DetailOf(body).ShouldEndWith("brings a file; send each picture as a part named 'image', as in curl -F image=@photo.jpg.");
    }

    [Theory]
    [InlineData("filename=a b.png", "a b.png")]
    [InlineData("filename=\"a b.png\"", "a b.png")]
    [InlineData("filename=été à la mer.png", "été à la mer.png")]
    public async Task A_name_of_a_file_needs_no_quotes(string fileName, string name)
    {
        var head = Encoding.UTF8.GetBytes($"--b\r\nContent-Disposition: form-data; name=image; {fileName}\r\nContent-Type: image/png\r\n\r\n");
        byte[] form = [.. head, .. Pictures.Png(121), .. "\r\n--b--\r\n"u8];
        var answer = RawRequest.Read(await RawRequest.SendAsync(service.Process.Address,
            Encoding.ASCII.GetBytes($"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {form.Length}\r\n\r\n"),
            new MemoryStream(form), chunked: false));

        answer.Status.ShouldBe(202, answer.Body);
        Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(answer.Body)).ShouldContain($"\"name\":\"{JsonEncodedText.Encode(name, System.Text.Encodings.Web.JavaScriptEncoder.Default)}\"");
    }

    [Theory]
    [InlineData("localhost.")]
    [InlineData("LOCALHOST.:8080")]
    public async Task A_host_may_end_with_a_dot(string host) =>
        RawRequest.Read(await RawRequest.SendAsync(service.Process.Address, $"GET /v1/stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).Status.ShouldBe(200);

    [Theory]
    [InlineData("multipart/form-data; boundary=b", "LONG", "The multipart request is malformed")]
    [InlineData("image/png", "SLOW", "The request came too slowly")]
    public async Task What_the_framework_refuses_is_said_in_our_words(string type, string how, string words)
    {
        var body = how == "LONG" ? new string('x', 40_000) : "x";
        var length = how == "LONG" ? body.Length : 1_000_000;
        var answer = await RawRequest.SendAsync(service.Process.Address,
            $"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n\r\n{body}");

        answer.ShouldContain(words);
        answer.ShouldNotContain("limit 1", Case.Sensitive);
        answer.ShouldNotContain("MinRequestBodyDataRate");
    }

    [Theory]
    [InlineData("/v1/jobs", 413)]
    [InlineData("/v1/nothing", 404)]
    [InlineData("/v1/workers/x/leave", 401)]
    public async Task Whoever_looks_at_the_answer_only_when_all_is_sent_gets_it(string path, int status)
    {
        var body = new byte[30 * 1024 * 1024];
        // Whether the connection is reset before all is sent is chance.
        for (var i = 0; i < 10; i++)
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(service.Process.Address.Host, service.Process.Address.Port);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\nContent-Length: {body.Length}\r\n\r\n"));
            await stream.WriteAsync(body);

            using var reader = new StreamReader(stream, Encoding.Latin1);
            (await reader.ReadLineAsync())!.ShouldStartWith($"HTTP/1.1 {status} ");
        }
    }

    private static string DetailOf(string problem) => JsonDocument.Parse(problem).RootElement.GetProperty("detail").GetString()!;

    private async Task<(int Status, string Body)> CurlAsync(byte[] picture, string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("a photo.png");
        await File.WriteAllBytesAsync(file, picture);
        using var curl = Process.Start(new ProcessStartInfo("curl",
        [
            "-sS", "-w", "\n%{http_code}", .. arguments.Select(a => a.Replace("FILE", file, StringComparison.Ordinal)), $"{service.Process.Address}v1/jobs",
        ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var output = await curl.StandardOutput.ReadToEndAsync();
        await curl.WaitForExitAsync();
        var end = output.LastIndexOf('\n');
        return (int.Parse(output[(end + 1)..], System.Globalization.CultureInfo.InvariantCulture), output[..end]);
    }
}
