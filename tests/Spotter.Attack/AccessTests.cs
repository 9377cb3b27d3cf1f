using System.Net;
using System.Text;
using System.Text.Json;
using Spotter.Tests.Gateway;

namespace Spotter.Attack;

/// <summary>Who may what: every call that the service describes, with every kind of key, a worker's token, and none.</summary>
public sealed class AccessTests(KeyedService service) : IClassFixture<KeyedService>
{
    private static readonly string[] WorkerCalls = ["PUT ", "DELETE ", "POST /leave", "POST /take", "POST /heartbeat", "GET /input?job=00000000000000000000000000000000&key=in/00/0", "PUT /output", "POST /finish"];

    private static readonly string[] Public = ["/healthz", "/readyz", "/openapi/v1.json"];

    [Fact]
    public async Task Every_call_is_open_to_those_who_may_and_to_nobody_else()
    {
        using var nobody = new SpotterApi(service.Process.Address);
        var row = new AttackRow("X01", "every call of the API with each kind of key", "access checks");
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(120)));
        var calls = (await nobody.GetAsync("/openapi/v1.json")).Json.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => (Method: method.Name.ToUpperInvariant(), Path: path.Name))).ToList();
        var shown = new Dictionary<string, string?>(service.Keys.ToDictionary(k => k.Key, k => (string?)k.Value, StringComparer.Ordinal), StringComparer.Ordinal)
        {
            ["none"] = null, ["wrong"] = "sk_" + new string('A', 43), ["worker"] = KeyedService.WorkerToken,
        };
        foreach (var (method, template) in calls)
        {
            var path = template.Replace("{id}", id, StringComparison.Ordinal).Replace("{name}", "x.bin", StringComparison.Ordinal);
            foreach (var (who, key) in shown)
            {
                // What would change something for others is asked of nothing.
                var answer = await nobody.SendAsync(KeyedService.Request(method, path, key, method == "POST" ? "{}" : null));
                row.Try(IsRight(method, template, who, (int)answer.Status), $"{method} {template} with {who}: {answer}");
            }
        }
        row.End(atLeast: 170);
    }

    [Fact]
    public async Task Only_workers_get_to_the_worker_api()
    {
        using var nobody = new SpotterApi(service.Process.Address);
        var row = new AttackRow("X02", "every call of the worker API with each kind of key", "access checks");
        foreach (var call in WorkerCalls)
        {
            var (method, path) = (call[..call.IndexOf(' ', StringComparison.Ordinal)], "/v1/workers/stranger" + call[(call.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            foreach (var key in service.Keys.Values.Select(k => (string?)k).Append(null).Append("wrong").Append(KeyedService.WorkerToken[..^1]).Append(KeyedService.WorkerToken + "0").Append(KeyedService.WorkerToken.ToUpperInvariant()))
            {
                var answer = await nobody.SendAsync(KeyedService.Request(method, path, key, method is "GET" or "DELETE" ? null : "{"));
                row.Try(answer.Status == HttpStatusCode.Unauthorized, $"{call} with {key}: {answer}");
            }
            var opened = await nobody.SendAsync(KeyedService.Request(method, path, KeyedService.WorkerToken, method is "GET" or "DELETE" ? null : "{}"));
            row.Try(opened.Status is not (HttpStatusCode.Unauthorized or HttpStatusCode.InternalServerError), $"{call}: {opened}");
        }
        row.End(atLeast: 80);
    }

    [Fact]
    public async Task A_forged_key_is_refused_before_the_body()
    {
        var row = new AttackRow("R35", "forged and missing keys, with a body that never comes", "access checks");
        var good = service.Keys["both"];
        string[] forged =
        [
            "", "Authorization: Bearer", "Authorization: Bearer ", "Authorization: Bearer sk_", $"Authorization: Bearer {good[..^1]}", $"Authorization: Bearer {good}A", $"Authorization: Bearer {good.ToLowerInvariant()}", $"Authorization: Bearer  x {good}",
            $"Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes("x:" + good))}", $"Authorization: {good}", $"Cookie: key={good}; X-API-Key={good}", "X-API-Key: x", $"X-API-Key: {good[..^1]}", "X-API-Key:", $"Authorization: Bearer {KeyedService.WorkerToken}", "X-Forwarded-User: ops", "X-Original-URL: /healthz",
        ];
        // Together: for some seconds after its answer the server waits for the rest of each body.
        await Task.WhenAll(forged.SelectMany(header => ((string, string)[])
            [("POST /v1/jobs", "image/png"), ("POST /v1/jobs?key=" + good, "multipart/form-data; boundary=b"), ("POST /v1/dead/redrive", "application/json"), ("PUT /v1/workers/w/output", "application/octet-stream")],
            (header, call) => TryAsync(header, call.Item1, call.Item2)));
        row.End(atLeast: 60);

        async Task TryAsync(string header, string call, string type)
        {
            if (call.Contains("workers", StringComparison.Ordinal) && header.Contains(KeyedService.WorkerToken, StringComparison.Ordinal))
                return;
            var answer = await RawRequest.SendAsync(service.Process.Address, $"{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {type}\r\nContent-Length: 10000000\r\n{header}{(header.Length > 0 ? "\r\n" : "")}\r\n");
            row.Try(answer.StartsWith("HTTP/1.1 401", StringComparison.Ordinal), $"{call} with '{header}': {answer}");
        }
    }

    [Fact]
    public async Task Of_another_tenants_job_nobody_learns_anything()
    {
        var row = new AttackRow("R38", "another tenant's job by every call that names one", "access checks");
        var id = SpotterApi.IdOf(await service.Red.RunAsync(Pictures.Png(121)));
        foreach (var method in (string[])["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS"])
        {
            foreach (var path in (string[])["", "/image", "/image?confidence=0.5", "/original", "/output", "/outputs/x", "/events"])
            {
                foreach (var name in (string[])[id, id.ToUpperInvariant(), id[..8], id[..31]])
                {
                    var theirs = await service.Blue.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/jobs/{name}{path}"));
                    // Spelled like it: capitals make no id.
                    var nothing = new string(name.Any(char.IsAsciiLetterUpper) ? 'A' : '0', name.Length);
                    var never = await service.Blue.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/jobs/{nothing}{path}"));
                    row.Try(theirs.Status == never.Status && (int)theirs.Status is >= 400 and < 500
                        && Plain(theirs.Text, name) == Plain(never.Text, nothing), $"{method} {path} of {name}: {theirs}, of one that never was: {never}");
                }
            }
        }
        (await service.Red.GetAsync($"/v1/jobs/{id}")).Status.ShouldBe(HttpStatusCode.OK);
        row.End(atLeast: 190);

        var cursor = new AttackRow("A17", "another tenant's job as a cursor", "access checks");
        var mine = SpotterApi.IdOf(await service.Blue.RunAsync(Pictures.Png(122)));
        foreach (var call in (string[])["/v1/jobs?", "/v1/jobs?state=succeeded&", "/v1/jobs?engine=detect&", "/v1/dead?"])
        {
            var page = await service.Blue.GetAsync($"{call}after={id}");
            var ids = page.Status == HttpStatusCode.OK ? page.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ToList() : [];
            cursor.Try((int)page.Status is 200 or 400 or 404 && !page.Text.Contains(id, StringComparison.Ordinal) && ids.TrueForAll(i => i == mine), page.ToString());
        }
        cursor.End();
    }

    [Fact]
    public async Task A_service_whose_last_key_was_revoked_stays_closed()
    {
        var row = new AttackRow("A18", "a service whose last key was revoked, and that was started again", "access checks");
        using var folder = new TemporaryFolder();
        var (data, model) = (folder.File("data"), PatchModel.Write(folder.File("patches.onnx")));
        await KeyedService.AddKeyAsync(data, "only", "red", "submit,read");
        (await SpotterProgram.RunAsync("keys", "revoke", "only", "--data", data)).Status.ShouldBe(0);
        await using var again = await KeyedService.StartAsync(data, model);
        using var nobody = new SpotterApi(again.Address);
        foreach (var call in (string[])["GET /v1/jobs", "POST /v1/jobs", "GET /v1/stats", "GET /metrics", "GET /v1/models"])
        {
            var answer = await nobody.SendAsync(KeyedService.Request(call.Split(' ')[0], call.Split(' ')[1], shown: null));
            row.Try(answer.Status == HttpStatusCode.Unauthorized, $"{call}: {answer}");
        }
        row.End();
    }

    [Fact]
    public async Task What_workers_say_that_can_not_be_changes_nothing()
    {
        var row = new AttackRow("A15", "a worker that lies", "requests");
        using var api = new SpotterApi(service.Process.Address);
        foreach (var worker in (string[])["good", "evil"])
        {
            using var join = KeyedService.Request("PUT", $"/v1/workers/{worker}", KeyedService.WorkerToken, """{"lanes":4,"models":[{"id":"patches","version":"v1"}]}""");
            (await api.SendAsync(join)).Status.ShouldBe(HttpStatusCode.OK);
        }
        foreach (var (call, body) in WorkerLies.All.Where(lie => !lie.Body.Contains("LEASE", StringComparison.Ordinal)))
        {
            var answer = await api.SendAsync(KeyedService.Request(call.Length == 0 ? "PUT" : "POST", "/v1/workers/evil" + call, KeyedService.WorkerToken, body));
            row.Try(answer.Status == HttpStatusCode.BadRequest, $"{call} {body}: {answer}");
        }
        var id = SpotterApi.IdOf((await service.Red.SubmitAsync([Part.Field("delay", "3600"), Part.Image(Pictures.Png(123))])).Json);
        foreach (var worker in (string[])["good", "evil"])
        {
            var lease = JsonSerializer.Serialize(new { job = id, queue = "detect/patches", fencingToken = 1, attempt = 1, worker });
            var finish = $$"""{"lease":{{lease}},"outcome":{"kind":"done","result":{},"timings":{},"output":null} }""";
            var answer = await api.SendAsync(KeyedService.Request("POST", "/v1/workers/evil/finish", KeyedService.WorkerToken, finish));
            row.Try(answer.Status == HttpStatusCode.Conflict, $"a lease that nobody has: {answer}");
        }
        foreach (var key in (string[])["in/../../keys.json", "../keys.json", "/etc/passwd", "in%2F..%2F..%2Fspotter.db"])
        {
            var answer = await api.SendAsync(KeyedService.Request("GET", $"/v1/workers/evil/input?job={id}&key={key}", KeyedService.WorkerToken));
            row.Try((int)answer.Status is >= 400 and < 500, $"{key}: {answer}");
        }
        row.Try(SpotterApi.StateOf(await service.Red.JobAsync(id)) == "queued", "the job has changed");
        foreach (var worker in (string[])["good", "evil"])
            await api.SendAsync(KeyedService.Request("DELETE", $"/v1/workers/{worker}", KeyedService.WorkerToken));
        row.End(atLeast: 15);
    }

    /// <summary>Whether a status is what this key should get: 401 without one, 403 without its scope, 404 for others' jobs.</summary>
    private static bool IsRight(string method, string path, string who, int status)
    {
        if (Public.Contains(path, StringComparer.Ordinal))
            return status is 200 or 503;
        if (who is "none" or "wrong" or "worker")
            return status == 401;
        var needs = path == "/metrics" || path.StartsWith("/v1/scaling", StringComparison.Ordinal) || path.StartsWith("/v1/catalogue", StringComparison.Ordinal) ? "operate"
            : path == "/v1/results" ? "read"
            : method is "POST" or "DELETE" ? "submit"
            : path is "/v1/engines" or "/v1/caller" || path.StartsWith("/v1/models", StringComparison.Ordinal) || path.StartsWith("/v1/samples", StringComparison.Ordinal) ? "" : "read";
        var has = who switch { "submit" => "submit", "read" => "read", "operate" => "submit read operate", _ => "submit read" };
        if (needs.Length > 0 && !has.Split(' ').Contains(needs, StringComparer.Ordinal))
            return status == 403;
        if (who == "other" && path.Contains("{id}", StringComparison.Ordinal))
            return status == 404;
        return status is not (401 or 403 or >= 500) || (status == 503 && path == "/readyz");
    }

    private static string Plain(string text, string name) => text.Replace(name, "ID", StringComparison.OrdinalIgnoreCase);
}
