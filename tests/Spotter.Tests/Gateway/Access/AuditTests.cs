using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Access;

namespace Spotter.Tests.Gateway.Access;

public sealed class AuditTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Who_changes_something_fetches_a_picture_or_is_not_let_in_has_a_line_and_nobody_else()
    {
        var file = new KeyFile(folder.File("keys.json"));
        var (kept, key) = ApiKey.Make("anna", "hens", KeyScopes.Submit | KeyScopes.Read, RandomSource.System, TimeProvider.System.GetUtcNow());
        await file.AddAsync(kept, TimeProvider.System, default);
        string made;
        await using (var bench = await GatewayBench.StartAsync(s => s with { KeysFile = folder.File("keys.json"), KeysRequired = true, AuditFile = folder.File("audit.jsonl") }))
        {
            made = JsonNode.Parse(await (await SendAsync(bench, HttpMethod.Post, "/v1/jobs", key, Jpeg())).Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
            await SendAsync(bench, HttpMethod.Get, $"/v1/jobs/{made}", key);
            await SendAsync(bench, HttpMethod.Get, "/v1/stats", key);
            await SendAsync(bench, HttpMethod.Get, "/no/such/call", key);
            await SendAsync(bench, HttpMethod.Get, $"/v1/jobs/{made}/original", key);
            await SendAsync(bench, HttpMethod.Get, $"/v1/jobs/{new string('x', 300)}/image", key);
            await SendAsync(bench, HttpMethod.Delete, $"/v1/jobs/{made}", "wrong");
            await SendAsync(bench, HttpMethod.Get, "/v1/scaling/decisions", key);
            await SendAsync(bench, HttpMethod.Delete, $"/v1/jobs/{made}", key);
        }

        var lines = (await File.ReadAllLinesAsync(folder.File("audit.jsonl"))).Select(l => JsonNode.Parse(l)!).ToList();

        lines.Select(l => $"{l["by"]} {l["tenant"]} {l["did"]} {l["jobs"]?[0]} {l["status"]}").ShouldBe(
            [
                $"anna hens POST /v1/jobs {made} 202",
                $"anna hens GET /v1/jobs/{{id}}/original {made} 200",
                $"anna hens GET /v1/jobs/{{id}}/image {new string('x', 64)} 404",
                $"  DELETE /v1/jobs/{{id}} {made} 401",
                "anna hens GET /v1/scaling/decisions  403",
                $"anna hens DELETE /v1/jobs/{{id}} {made} 200",
            ]);
        (await File.ReadAllTextAsync(folder.File("audit.jsonl"))).ShouldNotContain(key);
    }

    [Fact]
    public async Task A_refusal_is_noted_also_where_its_protocol_answers_200()
    {
        var file = new KeyFile(folder.File("keys.json"));
        var (kept, key) = ApiKey.Make("reader", "hens", KeyScopes.Read, RandomSource.System, TimeProvider.System.GetUtcNow());
        await file.AddAsync(kept, TimeProvider.System, default);
        await using (var bench = await GatewayBench.StartAsync(s => s with
        {
            KeysFile = folder.File("keys.json"), KeysRequired = true, AuditFile = folder.File("audit.jsonl"), Cameras = s.Cameras with { Errors = CameraErrorStyle.CodeProject },
        }))
        {
            using var stranger = new MultipartFormDataContent { { new StringContent("wrong"), "api_key" }, { new ByteArrayContent(Jpeg()), "image", "a.jpg" } };
            await ShouldBeTold200Async(bench.Client.PostAsync(new Uri(bench.Address, "/v1/vision/detection"), stranger));
            await ShouldBeTold200Async(bench.Client.GetAsync(new Uri(bench.Address, "/v1/vision/custom/list")));
            using var reader = new MultipartFormDataContent { { new StringContent(key), "api_key" }, { new ByteArrayContent(Jpeg()), "image", "a.jpg" } };
            await ShouldBeTold200Async(bench.Client.PostAsync(new Uri(bench.Address, "/v1/vision/detection"), reader));
            using var tool = new HttpRequestMessage(HttpMethod.Post, new Uri(bench.Address, "/mcp"))
            {
                Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"cancel_job","arguments":{"id":"00000000000000000000000000000000"}}}""", Encoding.UTF8, "application/json"),
            };
            tool.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            tool.Headers.Accept.ParseAdd("application/json, text/event-stream");
            await ShouldBeTold200Async(bench.Client.SendAsync(tool));
        }

        var lines = (await File.ReadAllLinesAsync(folder.File("audit.jsonl"))).Select(l => JsonNode.Parse(l)!);

        lines.Select(l => $"{l["by"]} {l["did"]} {l["status"]}").ShouldBe(
            [" POST /v1/vision/detection 401", " GET /v1/vision/custom/list 401", "reader POST /v1/vision/detection 403", "reader POST /mcp/ 403"]);

        static async Task ShouldBeTold200Async(Task<HttpResponseMessage> asked)
        {
            using var answer = await asked;
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Full_files_make_room_and_the_oldest_goes()
    {
        var file = folder.File("audit.jsonl");
        using var log = new AuditLog(new GatewaySettings { WorkerToken = "", AuditFile = file }, TimeProvider.System, NullLogger<AuditLog>.Instance) { FileBytes = 1000 };
        await log.StartAsync(default);
        for (var i = 0; i < 200; i++)
            log.Note(new AuditEntry(DateTimeOffset.UnixEpoch, "anna", null, "POST /v1/jobs", null, i));
        await log.StopAsync(default);

        Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(
            [.. File.Exists(file) ? ["audit.jsonl"] : Array.Empty<string>(), "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3", "audit.jsonl.4"]);
        var newest = File.Exists(file) ? file : file + ".1";
        JsonNode.Parse((await File.ReadAllLinesAsync(newest))[^1])!["status"]!.GetValue<int>().ShouldBe(199);
    }

    private static byte[] Jpeg() => GatewayBench.Picture();

    [Fact]
    public async Task A_file_that_cannot_be_written_holds_nothing_up()
    {
        using var log = new AuditLog(new GatewaySettings { WorkerToken = "", AuditFile = folder.File("missing/audit.jsonl") }, TimeProvider.System, NullLogger<AuditLog>.Instance);
        await log.StartAsync(default);
        log.Note(new AuditEntry(DateTimeOffset.UnixEpoch, "anna", null, "POST /v1/jobs", null, 1));

        using var patience = new CancellationTokenSource(GatewayBench.Safety);
        await log.StopAsync(patience.Token);

        log.ExecuteTask!.IsCompletedSuccessfully.ShouldBeTrue();
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayBench bench, HttpMethod method, string path, string key, byte[]? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(bench.Address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        return await bench.Client.SendAsync(request);
    }
}
