using System.Globalization;
using System.Net;

namespace Spotter.Attack;

/// <summary>What web pages of others, caches on the way and the curious may get out of a service.</summary>
public sealed class PageTests(OpenService service) : IClassFixture<OpenService>
{
    private SpotterApi Api => service.Api;

    [LinuxFact]
    public async Task The_description_of_the_calls_is_made_once()
    {
        const int Times = 300;
        var row = new AttackRow("A6", "/openapi/v1.json again and again", "requests");
        var first = await Api.GetAsync("/openapi/v1.json");
        var tag = first.Headers.ETag?.ToString();
        row.Try(first.Status == HttpStatusCode.OK && tag is not null, $"it has no ETag: {first.Headers}");
        foreach (var known in (string[])[tag ?? "\"x\"", "W/" + (tag ?? "\"x\""), "*", $"\"other\", {tag}"])
        {
            var unchanged = await ConditionalAsync(known);
            row.Try(unchanged.Status == HttpStatusCode.NotModified && unchanged.Bytes.Length == 0, $"If-None-Match {known}: {(int)unchanged.Status}, {unchanged.Bytes.Length} bytes");
        }
        row.Try((await ConditionalAsync("\"other\"")).Status == HttpStatusCode.OK, "another tag is not answered with the document");
        await RepeatAsync("/healthz");
        // In processor time of the gateway: to make it takes a hundred times what a short answer takes, to send it a few times.
        var small = await RepeatAsync("/healthz");
        var large = await RepeatAsync("/openapi/v1.json");
        row.Try(large < TimeSpan.FromSeconds(0.5) + (10 * small), $"{Times} documents took {large.TotalSeconds:0.00} s of processor time, {Times} short answers {small.TotalSeconds:0.00} s");
        row.End(atLeast: Times);

        async Task<TimeSpan> RepeatAsync(string path)
        {
            var before = Processes.ProcessorTimeOf(service.Process.Id);
            for (var i = 0; i < Times; i++)
            {
                var answer = await Api.GetAsync(path);
                row.Try(answer.Status == HttpStatusCode.OK && (path != "/openapi/v1.json" || answer.Bytes.AsSpan().SequenceEqual(first.Bytes)), $"{path}: {(int)answer.Status}");
            }
            return Processes.ProcessorTimeOf(service.Process.Id) - before;
        }

        Task<Answer> ConditionalAsync(string known)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
            request.Headers.TryAddWithoutValidation("If-None-Match", known);
            return Api.SendAsync(request);
        }
    }

    [Fact]
    public async Task Pages_of_others_can_neither_send_nor_read()
    {
        var row = new AttackRow("A7", "other sites' pages and names, on this machine only", "requests");
        await AttackAsync(row, service.Process.Address, beyond: false);
        row.End(atLeast: 200);

        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var open = new AttackRow("A7b", "the same beyond this machine, without keys", "requests");
        await using (var wide = await SpotterProcess.StartAsync(folder.File("data"), model, ["--host", "0.0.0.0", "--insecure-open", "--max-workers", "1"]))
            await AttackAsync(open, new UriBuilder(wide.Address) { Host = "127.0.0.1" }.Uri, beyond: true);
        open.End(atLeast: 200);

        var closed = new AttackRow("A7c", "a start beyond this machine, without keys", "starts");
        foreach (var host in (string[])["0.0.0.0", "::", "*"])
        {
            var (status, output, errors) = await SpotterProgram.RunAsync("serve", "--host", host, "--port", "0", "--data", folder.File("closed"), "--model", model);
            closed.Try(status != 0 && errors.Contains("--insecure-open", StringComparison.Ordinal) && !output.Contains("listening", StringComparison.Ordinal), $"{host}: {status} {output} {errors}");
        }
        closed.End();
    }

    private static async Task AttackAsync(AttackRow row, Uri address, bool beyond)
    {
        var own = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{address.Port}");
        using var api = new SpotterApi(address);
        var id = SpotterApi.IdOf((await api.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(140))])).Json);
        string[] names =
        [
            "evil.example", $"evil.example:{address.Port}", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "evil.example#127.0.0.1", "localhost..", "127.0.0.1.", "0x7f.1.evil.example", "xn--localhost-.example", "LOCALHOST.EVIL.EXAMPLE", $"127-0-0-1.nip.io:{address.Port}",
            .. beyond ? Array.Empty<string>() : ["10.0.0.1", "169.254.169.254", "192.0.2.7:8080", "[2001:db8::1]", "0.0.0.0"],
        ];
        foreach (var name in names)
        {
            foreach (var call in (string[])["GET /", "GET /v1/jobs", $"GET /v1/jobs/{id}", $"GET /v1/jobs/{id}/original", "GET /v1/stats", "GET /metrics", "GET /openapi/v1.json", "POST /v1/jobs", $"DELETE /v1/jobs/{id}"])
            {
                var answer = await SendAsync(call, name, "");
                row.Try(Status(answer) is 400 or 403, $"{call} as {name}: {answer}");
            }
        }
        // A form of another site needs nobody's leave, and says where it comes from in one of these ways.
        string[] origins =
        [
            "Origin: http://evil.example", "Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1:1", "Origin: http://localhost:3000", $"Origin: http://{own}.evil.example", $"Origin: http://evil.example:{address.Port}", "Origin: file://", $"Origin: http://{own}@evil.example",
            "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", $"Origin: http://{own}\r\nSec-Fetch-Site: cross-site", "Origin: x y", $"Origin: http://evil.example\r\nOrigin: http://{own}",
        ];
        string[] types = ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "text/plain", "image/png", "application/json"];
        foreach (var origin in origins)
        {
            foreach (var call in types.Select(type => ("POST /v1/jobs", type)).Append(($"DELETE /v1/jobs/{id}", "")).Append(("POST /v1/dead/redrive", "application/json")).Append(("PUT /v1/workers/evil", "application/json")))
            {
                var answer = await SendAsync(call.Item1, own, $"{origin}\r\n" + (call.Item2.Length > 0 ? $"Content-Type: {call.Item2}\r\n" : ""));
                row.Try(Status(answer) is 400 or 403, $"{call} with {origin}: {answer}");
            }
            var preflight = await SendAsync("OPTIONS /v1/jobs", own, $"{origin}\r\nAccess-Control-Request-Method: DELETE\r\nAccess-Control-Request-Headers: authorization\r\n");
            var read = await SendAsync("GET /v1/jobs", own, origin + "\r\n");
            row.Try(!preflight.Contains("Access-Control-Allow", StringComparison.OrdinalIgnoreCase) && !read.Contains("Access-Control-Allow", StringComparison.OrdinalIgnoreCase), $"{origin}: {preflight}{read}");
            row.Try(Status(read) is 400 or 403 || read.Contains("Cross-Origin-Resource-Policy: same-origin", StringComparison.OrdinalIgnoreCase), read);
        }
        row.Try((await api.ListAsync()).Count == 1 && SpotterApi.StateOf(await api.JobAsync(id)) == "queued", "something was sent or cancelled");
        // And its own page may.
        row.Try(Status(await SendAsync($"DELETE /v1/jobs/{id}", own, $"Origin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n")) == 200, "its own page is kept out too");

        Task<string> SendAsync(string call, string host, string headers)
        {
            var body = call.StartsWith("POST", StringComparison.Ordinal) || call.StartsWith("PUT", StringComparison.Ordinal) ? "Content-Length: 2\r\n" : "";
            return RawRequest.SendAsync(address, $"{call} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{body}\r\n{(body.Length > 0 ? "{}" : "")}");
        }
    }

    private static int Status(string answer) => answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? RawRequest.Read(answer).Status : 0;
}

/// <summary>What may be kept on the way.</summary>
public sealed class CacheTests(KeyedService service) : IClassFixture<KeyedService>
{
    [Fact]
    public async Task Nothing_on_the_way_keeps_an_answer()
    {
        var row = new AttackRow("A21", "answers of every call, refusals too, and what caches are told", "answers");
        using var nobody = new SpotterApi(service.Process.Address);
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(141), Part.Field("annotate", "true")));
        var calls = (await nobody.GetAsync("/openapi/v1.json")).Json.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => (Method: method.Name.ToUpperInvariant(), Path: path.Name.Replace("{id}", id, StringComparison.Ordinal).Replace("{name}", "x", StringComparison.Ordinal)))).ToList();
        string?[] shown = [service.Keys["operate"], service.Keys["both"], service.Keys["other"], null];
        foreach (var (method, path) in calls.Where(c => c.Method is not "DELETE").Append(("GET", "/nothing")).Append(("GET", "/v1/nothing")).Append(("GET", "/v1/jobs?state=x")).Append(("PUT", "/v1/jobs")).Append(("PUT", "/v1/workers/x")).Append(("GET", "/v1/workers/x/input")))
        {
            foreach (var key in shown)
            {
                var answer = await nobody.SendAsync(KeyedService.Request(method, path, key, method is "POST" or "PUT" ? "{}" : null));
                var says = answer.Headers.CacheControl;
                // The description of the calls is the same for all, and asked for anew each time.
                row.Try(says is { NoStore: true } || (path == "/openapi/v1.json" && says is { NoCache: true }), $"{method} {path} with {(key is null ? "nothing" : "a key")}: {(int)answer.Status}, {says?.ToString() ?? "nothing is said"}");
            }
        }
        row.End(atLeast: 80);
    }
}
