using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Tests.Gateway.Telemetry;

namespace Spotter.Tests.Gateway;

public sealed class GatewayTests : IAsyncLifetime
{
    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "not_found")]
    [InlineData("GET", "/nothing.js", 404, "not_found")]
    [InlineData("POST", "/v1/stats", 405, "invalid_request")]
    [InlineData("PUT", "/v1/jobs", 405, "invalid_request")]
    [InlineData("GET", "/v1/jobs/nothing", 404, "not_found")]
    [InlineData("GET", "/v1/jobs/00000000000000000000000000000000/events", 404, "not_found")]
    [InlineData("GET", "/v1/jobs?state=2", 400, "invalid_request")]
    [InlineData("GET", "/v1/jobs?state=queued,succeeded", 400, "invalid_request")]
    [InlineData("GET", "/v1/jobs?state=queued%20", 400, "invalid_request")]
    [InlineData("GET", "/v1/jobs?limit=-1", 400, "invalid_request")]
    [InlineData("GET", "/v1/jobs?after=x", 400, "invalid_request")]
    [InlineData("POST", "/v1/jobs", 422, "empty_body")]
    public async Task Every_refusal_is_a_problem_with_a_code(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await bench.Client.SendAsync(request);

        await ShouldBeAsync(response, status, code);
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        if (status == 405)
            response.Content.Headers.Allow.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("text/plain", "hello", 415, "unsupported_image")]
    [InlineData("image/jpeg", "hello", 415, "unsupported_image")]
    [InlineData("application/json", "{}", 422, "empty_body")]
    [InlineData("application/json", "{\"url\": \"https://192.168.0.1/a.png\"}", 422, "url_forbidden")]
    [InlineData("multipart/form-data", "", 400, "invalid_request")]
    [InlineData("multipart/form-data; boundary=x", "", 400, "invalid_request")]
    [InlineData("multipart/form-data; boundary=x", "--x--\r\n", 422, "empty_body")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\n\r\nnameless\r\n--x--\r\n", 400, "invalid_request")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=confidence\r\n\r\n2\r\n--x--\r\n", 422, "empty_body")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=colour\r\n\r\n2\r\n--x--\r\n", 400, "invalid_request")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=image\r\n\r\n\x89PNG", 400, "invalid_request")]
    public async Task Bodies_that_carry_no_picture_are_refused(string type, string body, int status, string code)
    {
        using var response = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(Encoding.Latin1.GetBytes(body), type));

        await ShouldBeAsync(response, status, code);
        Blobs().ShouldBe(0);
    }

    [Fact]
    public async Task A_multipart_body_cut_off_within_a_picture_is_the_senders_fault_and_leaves_nothing()
    {
        var head = Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data; name=image\r\n\r\n");
        using var response = await bench.Client.PostAsync(
            new Uri("/v1/jobs", UriKind.Relative),
            GatewayBench.Body([.. head, .. GatewayBench.Picture(bytes: 150_000)], "multipart/form-data; boundary=x"));

        await ShouldBeAsync(response, 400, "invalid_request");
        Blobs().ShouldBe(0);
    }

    [Theory]
    [InlineData("confidence=1.01", "threshold_out_of_range")]
    [InlineData("iou=-0.1", "threshold_out_of_range")]
    [InlineData("confidence=NaN", "threshold_out_of_range")]
    [InlineData("model=other", "unknown_model")]
    [InlineData("engine=other", "unknown_engine")]
    [InlineData("labels=person,cat", "unknown_label")]
    public async Task Options_that_are_not_offered_are_refused_and_nothing_is_kept(string query, string code)
    {
        using var response = await bench.Client.PostAsync(new Uri($"/v1/jobs?{query}", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));

        await ShouldBeAsync(response, 422, code);
        Blobs().ShouldBe(0);
    }

    [Fact]
    public async Task Labels_are_taken_once_each_whatever_their_case()
    {
        using var response = await bench.Client.PostAsync(
            new Uri("/v1/jobs?labels=DOG,person&labels=dog", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));
        var job = JobId.Parse(response.Headers.Location!.ToString().Split('/')[^1]);

        (await bench.Jobs.FindAsync(job, default))!.Spec.Parameters.Read(VisionJson.Default.VisionParameters).Labels.ShouldBe(["dog", "person"]);
    }

    [Fact]
    public async Task Bodies_larger_than_the_limit_are_refused_with_and_without_a_length()
    {
        var large = GatewayBench.Picture(bytes: (int)bench.Settings.Jobs.MaxInputBytes + 1);
        using var told = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(large));
        await ShouldBeAsync(told, 413, "body_too_large");

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = GatewayBench.Body(large) };
        request.Headers.TransferEncodingChunked = true;
        using var untold = await bench.Client.SendAsync(request);
        await ShouldBeAsync(untold, 413, "body_too_large");
        Blobs().ShouldBe(0);
    }

    [Fact]
    public async Task Random_bodies_are_never_our_fault()
    {
        var random = RandomSource.Seeded(7);
        string[] texts =
        [
            "--x\r\n", "--x--\r\n", "\r\n", "\r\n\r\n", "--x", "Content-Disposition: form-data; name=image\r\n\r\n",
            "Content-Disposition: form-data; name=\"iou\"\r\n\r\n", "Content-Disposition: form-data; name=image; filename*=UTF-8''%\r\n",
            "Content-Disposition: form-data; name=\"\"\r\n\r\n", "Content-Disposition: ;;;\r\n\r\n", "0.5", "A: b\r\nA: c\r\n", ":\r\n", "\0\0", "é",
        ];
        byte[][] pieces =
        [
            .. texts.Select(Encoding.UTF8.GetBytes),
            GatewayBench.Picture(bytes: 100), GatewayBench.Picture(width: 60_000, height: 60_000, bytes: 40), [0xFF, 0xD8, 0xFF, 0xE0], [0xFF, 0xFE],
        ];
        var parts = new byte[24];
        for (var i = 0; i < 400; i++)
        {
            random.Fill(parts);
            var body = parts.Take(1 + (parts[0] % 20)).Select(p => pieces[p % pieces.Length]).SelectMany(b => b).ToArray();
            using var response = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(body, "multipart/form-data; boundary=x"));

            ((int)response.StatusCode).ShouldBeLessThan(500, $"round {i}: {Convert.ToHexString(body)}");
        }
    }

    [Fact]
    public async Task Waiting_for_a_result_ends_with_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs") { Content = GatewayBench.Body(GatewayBench.Picture()) };
        request.Headers.Add("Prefer", "wait=60");
        var answering = bench.Client.SendAsync(request);
        var started = await bench.Service.TakeAsync("w", [QueueNames.Of(VisionTasks.Detect, GatewayBench.Model.Id)], GatewayBench.Safety, default);
        await bench.Service.FinishAsync(started!.Lease, SampleJobs.Done(), default);

        using var response = await answering.WaitAsync(GatewayBench.Safety);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("Preference-Applied").ShouldBe(["wait=60"]);
    }

    [Fact]
    public async Task A_job_whose_model_nobody_has_waits_and_says_for_what()
    {
        var job = await bench.SubmitAsync();
        (await JsonAsync($"/v1/jobs/{job}")).GetProperty("waitsFor").ValueKind.ShouldBe(JsonValueKind.Null, "a worker is yet to come");

        bench.Roster.Join("w", 1, [new("another", "1"), new(GatewayBench.Model.Id, Version: null) { Error = SampleJobs.Fault }]);
        var waiting = await JsonAsync($"/v1/jobs/{job}");
        waiting.GetProperty("waitsFor").GetString()!.ShouldContain(GatewayBench.Model.Id);
        waiting.GetProperty("etaSeconds").ValueKind.ShouldBe(JsonValueKind.Null);
        (await JsonAsync("/v1/stats")).GetProperty("unserved").GetInt64().ShouldBe(1);

        bench.Roster.Tell("w", [new(GatewayBench.Model.Id, "1")]);
        (await JsonAsync($"/v1/jobs/{job}")).GetProperty("waitsFor").ValueKind.ShouldBe(JsonValueKind.Null);
        (await JsonAsync("/v1/stats")).GetProperty("unserved").GetInt64().ShouldBe(0);

        bench.Roster.Leave("w");
        bench.Models.Set([]);
        (await JsonAsync($"/v1/jobs/{job}")).GetProperty("waitsFor").GetString()!.ShouldContain("cancelled");
        (await JsonAsync("/v1/stats")).GetProperty("unserved").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task The_list_of_models_says_how_each_stands_and_what_is_loaded_where()
    {
        var newest = GatewayBench.Model with { Version = "2", Unsure = "It may be another." };
        bench.Models.Set([new("broken", null, SampleJobs.Fault), new("tiny", newest, SampleJobs.Fault, BuiltIn: true)]);
        bench.Roster.Join("old", 1, [new("tiny", "1")]);

        var view = await JsonAsync("/v1/models");
        view.GetProperty("default").GetString().ShouldBe("tiny");
        var (broken, tiny) = (view.GetProperty("models")[0], view.GetProperty("models")[1]);
        (broken.GetProperty("state").GetString(), broken.GetProperty("default").GetBoolean(), broken.GetProperty("labels").GetArrayLength())
            .ShouldBe(("refused", false, 0));
        broken.GetProperty("error").GetProperty("code").GetString().ShouldBe(SampleJobs.Fault.Code);
        (tiny.GetProperty("state").GetString(), tiny.GetProperty("version").GetString(), tiny.GetProperty("builtIn").GetBoolean())
            .ShouldBe(("loading", "2", true));
        tiny.GetProperty("unsure").GetString().ShouldBe("It may be another.");

        bench.Roster.Join("new", 1, [new("tiny", "2") { Device = "cuda" }]);
        (await JsonAsync("/v1/stats")).GetProperty("devices").GetRawText().ShouldBe("{\"cuda\":1}");
        tiny = (await JsonAsync("/v1/models")).GetProperty("models")[1];
        tiny.GetProperty("state").GetString().ShouldBe("ready");
        tiny.GetProperty("loadedBy").EnumerateArray().Select(p => $"{p.GetProperty("worker")} {p.GetProperty("version")} {p.GetProperty("device")}").ShouldBe(["new 2 cuda", "old 1 "]);
    }

    [Fact]
    public async Task Events_tell_every_state_and_then_end()
    {
        var job = await bench.SubmitAsync();
        using var response = await bench.Client.GetAsync(new Uri($"/v1/jobs/{job}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await StateAsync(reader)).ShouldBe("queued");
        var started = await bench.Service.TakeAsync("w", [QueueNames.Of(VisionTasks.Detect, GatewayBench.Model.Id)], GatewayBench.Safety, default);
        (await StateAsync(reader)).ShouldBe("running");
        await bench.Service.FinishAsync(started!.Lease, SampleJobs.Done(), default);
        (await StateAsync(reader)).ShouldBe("succeeded");
        (await reader.ReadToEndAsync()).Trim().ShouldBe("id: end");
        response.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);

        // As a browser does by itself when a stream has ended.
        using var again = new HttpRequestMessage(HttpMethod.Get, new Uri($"/v1/jobs/{job}/events", UriKind.Relative));
        again.Headers.Add("Last-Event-ID", "end");
        using var ended = await bench.Client.SendAsync(again);
        ended.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Head_is_answered_wherever_get_is_with_the_same_headers_and_no_body()
    {
        var job = await bench.SubmitAsync();
        foreach (var path in (string[])["/v1/jobs", $"/v1/jobs/{job}", $"/v1/jobs/{job}/original", $"/v1/jobs/{job}/events", "/v1/stats", "/v1/models", "/healthz", "/readyz", "/metrics", "/openapi/v1.json", "/v1/nothing"])
        {
            using var get = await bench.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(path, UriKind.Relative));
            using var head = await bench.Client.SendAsync(request).WaitAsync(GatewayBench.Safety);

            head.StatusCode.ShouldBe(get.StatusCode, path);
            head.Content.Headers.ContentType?.MediaType.ShouldBe(get.Content.Headers.ContentType?.MediaType, path);
            (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty(path);
        }
    }

    [Fact]
    public async Task A_follower_that_leaves_is_no_fault_and_keeps_no_gateway_from_ending()
    {
        var job = await bench.SubmitAsync();
        using (var client = new TcpClient("127.0.0.1", bench.Address.Port))
        {
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: x\r\n\r\n"));
            var some = new byte[1];
            (await stream.ReadAsync(some)).ShouldBe(1);
            client.Client.LingerState = new LingerOption(enable: true, 0);
        }
        using var staying = await bench.Client.GetAsync(new Uri($"/v1/jobs/{job}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

        await bench.RestartAsync().WaitAsync(GatewayBench.Safety);

        bench.Log.Where(l => l.StartsWith("Error", StringComparison.Ordinal) || l.StartsWith("Critical", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Intake_that_is_closed_refuses_and_everything_else_goes_on()
    {
        var job = await bench.SubmitAsync();
        bench.Service.Admission.Close();

        using var refused = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), GatewayBench.Body(GatewayBench.Picture()));
        await ShouldBeAsync(refused, 503, "busy");
        refused.Headers.RetryAfter.ShouldNotBeNull();
        using var unready = await bench.Client.GetAsync(new Uri("/readyz", UriKind.Relative));
        await ShouldBeAsync(unready, 503, "busy");
        using var known = await bench.Client.GetAsync(new Uri($"/v1/jobs/{job}", UriKind.Relative));
        known.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Headers_without_end_are_turned_away()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.Add("X-Long", new string('a', 40_000));
        using var response = await bench.Client.SendAsync(request);

        ((int)response.StatusCode).ShouldBe(431);
    }

    [Theory]
    [InlineData("PUT", "", null)]
    [InlineData("PUT", "", "Bearer 0123456789abcdef0123456789abcdeX")]
    [InlineData("POST", "/take", "Bearer ")]
    [InlineData("POST", "/finish", "Basic x")]
    [InlineData("GET", "/input?key=in/00/x", null)]
    [InlineData("DELETE", "", null)]
    public async Task The_workers_door_opens_only_to_the_token_and_reads_no_body_before(string method, string call, string? authorization)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/workers/w" + call);
        if (method is "PUT" or "POST")
            request.Content = GatewayBench.Body(Encoding.ASCII.GetBytes("{ not JSON"), "application/json");
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var response = await bench.Client.SendAsync(request);

        await ShouldBeAsync(response, 401, "unauthorized");
        (await response.Content.ReadAsStringAsync()).ShouldNotContain(GatewayBench.Token);
    }

    [Theory]
    [InlineData("PUT", "/v1/workers/a%20b", "{}", 400)]
    [InlineData("PUT", "/v1/workers/w", "{ not JSON", 400)]
    [InlineData("POST", "/v1/workers/w/take", "{\"queues\":[\"detect\"],\"waitSeconds\":0}", 404)]
    [InlineData("POST", "/v1/workers/w/beat", "{\"leases\":[]}", 404)]
    [InlineData("PUT", "/v1/workers/w", "{\"models\":[]}", 400)]
    [InlineData("PUT", "/v1/workers/w", "null", 400)]
    [InlineData("PUT", "/v1/workers/w", "", 400)]
    [InlineData("POST", "/v1/workers/w/finish", "{\"lease\":null,\"outcome\":null}", 400)]
    [InlineData("POST", "/v1/workers/w/finish", "{\"lease\":{\"job\":\"x\"},\"outcome\":{}}", 400)]
    [InlineData("POST", "/v1/workers/w/finish", "{\"lease\":{\"job\":7},\"outcome\":{\"kind\":\"odd\"}}", 400)]
    public async Task What_workers_must_not_say_is_refused(string method, string path, string body, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = GatewayBench.Body(Encoding.ASCII.GetBytes(body), "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayBench.Token);
        using var response = await bench.Client.SendAsync(request);

        ((int)response.StatusCode).ShouldBe(status, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("../spotter.db")]
    [InlineData("in/../../spotter.db")]
    [InlineData("/etc/passwd")]
    [InlineData("out/00/x.jpg")]
    [InlineData("in/00/A")]
    public async Task Workers_get_originals_and_no_other_files(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/workers/w/image?key={Uri.EscapeDataString(key)}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayBench.Token);
        using var response = await bench.Client.SendAsync(request);

        await ShouldBeAsync(response, 404, "not_found");
    }

    [Fact]
    public async Task Metrics_are_text_that_Prometheus_reads()
    {
        await bench.SubmitAsync();
        using var refused = await bench.Client.GetAsync(new Uri("/nothing", UriKind.Relative));

        var text = await bench.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));

        PrometheusLines.Check(text);
        text.ShouldContain("spotter_jobs{state=\"queued\"} 1\n");
        text.ShouldContain("spotter_requests_refused_total{code=\"not_found\"}");
        text.ShouldContain("spotter_jobs_accepted_total{engine=\"detect\"}");
    }

    private int Blobs() =>
        bench.Backend.Blobs.ListAsync("in/", DateTimeOffset.MaxValue, default).ToBlockingEnumerable().Count();

    private async Task<JsonElement> JsonAsync(string path) =>
        JsonDocument.Parse(await bench.Client.GetStringAsync(new Uri(path, UriKind.Relative))).RootElement;

    private static async Task<string?> StateAsync(StreamReader reader)
    {
        string? earlier = null;
        while (await reader.ReadLineAsync().WaitAsync(GatewayBench.Safety) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            using var json = JsonDocument.Parse(line[6..]);
            var state = json.RootElement.GetProperty("state").GetString();
            if (state != earlier)
                return state;
        }
        return null;
    }

    private static async Task ShouldBeAsync(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        using var problem = JsonDocument.Parse(text);
        problem.RootElement.GetProperty("code").GetString().ShouldBe(code);
        problem.RootElement.GetProperty("status").GetInt32().ShouldBe(status);
        problem.RootElement.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
    }
}
