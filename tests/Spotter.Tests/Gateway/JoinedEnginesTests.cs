using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Spotter.Tests.Gateway;

/// <summary>Engines that workers bring, over HTTP, as a worker in any language does it.</summary>
public sealed class JoinedEnginesTests : IAsyncLifetime
{
    private const string Engine = """{"name":"brightness","version":"VERSION","help":"Says how bright a picture is","mediaTypes":["image/png"],"reusable":true,"options":[{"name":"threshold","type":"whole","min":0,"max":255,"default":128}]}""";

    private GatewayBench bench = null!;

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task A_worker_brings_an_engine_and_its_job_goes_all_the_way()
    {
        var welcome = await JoinAsync("w", "1.0");
        welcome.GetProperty("queues").EnumerateArray().Select(q => q.GetString()).ShouldBe(["brightness/brightness"]);
        var job = await SubmitAsync("threshold=7");
        var started = await TakeAsync("w");
        started.GetProperty("job").GetProperty("id").GetString().ShouldBe(job);
        started.GetProperty("job").GetProperty("spec").GetProperty("parameters").GetRawText().ShouldBe("""{"threshold":7}""");

        // In whatever order a language writes the members of an object.
        (await FinishAsync("w", started, """{"timings":{"inferMs":2},"outputs":[],"output":null,"result":{"mean":128.5,"summary":"mean 128"},"kind":"done"}""")).Status.ShouldBe(HttpStatusCode.NoContent);

        var done = await JobAsync(job);
        (done.GetProperty("state").GetString(), done.GetProperty("engine").GetString(), done.GetProperty("model").GetString(), done.GetProperty("modelVersion").GetString())
            .ShouldBe(("succeeded", "brightness", "brightness", "1.0"));
        done.GetProperty("result").GetRawText().ShouldBe("""{"mean":128.5,"summary":"mean 128"}""");
        (await bench.Client.GetStringAsync(new Uri($"/v1/jobs/{job}/output", UriKind.Relative))).ShouldEndWith("mean 128");
        (await SendAsync(HttpMethod.Get, $"/v1/jobs/{job}/image", null)).Status.ShouldBe(HttpStatusCode.NotFound, "it makes no picture");

        // The same work again, and by another version.
        (await JobAsync(await SubmitAsync("threshold=7"))).GetProperty("cachedFrom").GetString().ShouldBe(job);
        await JoinAsync("w", "1.1");
        (await JobAsync(await SubmitAsync("threshold=7"))).GetProperty("state").GetString().ShouldBe("queued");
    }

    [Fact]
    public async Task It_is_listed_with_its_options_and_who_runs_it()
    {
        await JoinAsync("w", "1.0");

        var engines = (await SendAsync(HttpMethod.Get, "/v1/engines", null)).Json.GetProperty("engines").EnumerateArray().ToDictionary(e => e.GetProperty("name").GetString()!, StringComparer.Ordinal);
        engines["detect"].GetProperty("workers").ValueKind.ShouldBe(JsonValueKind.Null);
        var engine = engines["brightness"];
        (engine.GetProperty("version").GetString(), engine.GetProperty("help").GetString(), engine.GetProperty("maxInputBytes").GetInt64()).ShouldBe(("1.0", "Says how bright a picture is", 256 * 1024));
        engine.GetProperty("workers")[0].GetRawText().ShouldBe("""{"worker":"w","version":"1.0"}""");
        var option = engine.GetProperty("options")[0];
        (option.GetProperty("name").GetString(), option.GetProperty("default").GetString(), option.GetProperty("min").GetDouble(), option.GetProperty("max").GetDouble()).ShouldBe(("threshold", "128", 0, 255));

        var models = (await SendAsync(HttpMethod.Get, "/v1/models", null)).Text;
        models.ShouldNotContain("brightness", customMessage: "an engine is no model to choose");
        var document = (await SendAsync(HttpMethod.Get, "/openapi/v1.json", null)).Text;
        document.ShouldContain("Engine `brightness`");
        document.ShouldContain("\"brightness\"");
    }

    [Fact]
    public async Task It_is_remembered_when_its_last_worker_has_gone_and_says_why_jobs_wait()
    {
        await JoinAsync("w", "1.0");
        (await SendAsync(HttpMethod.Delete, "/v1/workers/w", null)).Status.ShouldBe(HttpStatusCode.NoContent);

        var job = await SubmitAsync("threshold=1");
        (await JobAsync(job)).GetProperty("waitsFor").GetString().ShouldBe("No worker runs the engine 'brightness' now; the job waits until one joins that does, or until it is cancelled.");
        await JoinAsync("other", "1.0");
        (await TakeAsync("other")).GetProperty("job").GetProperty("id").GetString().ShouldBe(job);
    }

    [Theory]
    [InlineData("threshold=300", 400, "from 0 to 255")]
    [InlineData("tile=640", 400, "'tile'")]
    [InlineData("model=tiny", 400, "'model'")]
    public async Task What_it_does_not_take_is_refused(string query, int status, string words)
    {
        await JoinAsync("w", "1.0");
        var answer = await SendAsync(HttpMethod.Post, $"/v1/jobs?engine=brightness&{query}", GatewayBench.Body(GatewayBench.Picture()));

        ((int)answer.Status, answer.Json.GetProperty("detail").GetString()!.Contains(words, StringComparison.Ordinal)).ShouldBe((status, true), answer.Text);
    }

    [Fact]
    public async Task Its_media_types_are_judged_and_JSON_sets_its_options()
    {
        await JoinAsync("w", "1.0");
        var gif = "GIF89a\x01\x00\x01\x00\x00\x00\x00"u8.ToArray();
        var refused = await SendAsync(HttpMethod.Post, "/v1/jobs?engine=brightness", GatewayBench.Body(gif, "image/gif"));
        (refused.Status, refused.Text.Contains("brightness", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.UnsupportedMediaType, true), refused.Text);

        var body = new StringContent($$"""{"engine":"brightness","threshold":9,"image":"{{Convert.ToBase64String(GatewayBench.Picture())}}"}""", Encoding.UTF8, "application/json");
        (await SendAsync(HttpMethod.Post, "/v1/jobs", body)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await TakeAsync("w")).GetProperty("job").GetProperty("spec").GetProperty("parameters").GetProperty("threshold").GetInt32().ShouldBe(9);
    }

    [Fact]
    public async Task Of_two_versions_the_highest_counts_and_one_version_says_one_thing()
    {
        await JoinAsync("new", "1.10");
        await JoinAsync("old", "1.9");
        (await VersionAsync()).ShouldBe("1.10");

        var conflict = await SendAsync(HttpMethod.Put, "/v1/workers/liar", Json($$"""{"lanes":1,"engines":[{{Engine.Replace("VERSION", "1.10", StringComparison.Ordinal).Replace("255", "254", StringComparison.Ordinal)}}]}"""));
        (conflict.Status, conflict.Json.GetProperty("code").GetString()).ShouldBe((HttpStatusCode.Conflict, "engine_conflict"));
        (await SendAsync(HttpMethod.Put, "/v1/workers/w", Json($$"""{"lanes":1,"engines":[{{Engine.Replace("brightness", "tiny", StringComparison.Ordinal)}}]}"""))).Status
            .ShouldBe(HttpStatusCode.Conflict, "a model has that name");

        // Whoever is alone may go back.
        await SendAsync(HttpMethod.Delete, "/v1/workers/new", null);
        await SendAsync(HttpMethod.Delete, "/v1/workers/old", null);
        await JoinAsync("old", "1.9");
        (await VersionAsync()).ShouldBe("1.9");
    }

    [Theory]
    [InlineData("""{"lanes":1,"engines":[{"name":"detect","version":"1"}]}""")]
    [InlineData("""{"lanes":1,"engines":[{"name":"<b>","version":"1"}]}""")]
    [InlineData("""{"lanes":1,"engines":[{"name":"a"}]}""")]
    [InlineData("""{"lanes":1,"engines":[null]}""")]
    [InlineData("""{"lanes":1,"engines":null}""")]
    [InlineData("""{"lanes":1,"engines":{}}""")]
    [InlineData("""{"lanes":1,"engines":[{"name":"a","version":"1","options":null}]}""")]
    [InlineData("""{"lanes":1,"engines":[{"name":"a","version":"1"},{"name":"a","version":"2"}]}""")]
    [InlineData("""{"lanes":1,"models":[{"id":"x","version":"1","info":{"id":"x","engine":"engine","family":"","inputWidth":0,"inputHeight":0,"labels":[],"declared":{"name":"detect","version":"1"}}}]}""")]
    public async Task A_declaration_that_can_not_be_joins_nobody(string join)
    {
        var answer = await SendAsync(HttpMethod.Put, "/v1/workers/w", Json(join));

        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        bench.Roster.Has("w").ShouldBeFalse();
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"x\"")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    [InlineData("{\"a\":\"\u00ff\"}")]
    [InlineData("DEEP")]
    public async Task A_result_that_would_break_an_answer_is_refused(string result)
    {
        await JoinAsync("w", "1.0");
        var job = await SubmitAsync("threshold=1");
        var started = await TakeAsync("w");
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40);
        // One byte for each letter, so that ÿ is no UTF-8.
        var body = Encoding.Latin1.GetBytes("{\"lease\":" + started.GetProperty("lease").GetRawText() + ",\"outcome\":{\"kind\":\"done\",\"timings\":{},\"output\":null,\"result\":" + result.Replace("DEEP", deep, StringComparison.Ordinal) + "}}");
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };

        (await SendAsync(HttpMethod.Post, "/v1/workers/w/finish", content)).Status.ShouldBe(HttpStatusCode.BadRequest);

        (await JobAsync(job)).GetProperty("state").GetString().ShouldBe("running");
        (await FinishAsync("w", started, """{"kind":"reject","error":{"code":"too_dark","detail":"It is <b>dark</b>."}}""")).Status.ShouldBe(HttpStatusCode.NoContent);
        var failed = await JobAsync(job);
        (failed.GetProperty("state").GetString(), failed.GetProperty("error").GetProperty("code").GetString()).ShouldBe(("failed", "too_dark"));
    }

    [Fact]
    public async Task Its_worker_hears_of_a_cancellation_and_what_fails_for_a_while_is_tried_again()
    {
        await JoinAsync("w", "1.0");
        var job = await SubmitAsync("threshold=1");
        var first = await TakeAsync("w");
        (await FinishAsync("w", first, """{"kind":"retry","spendAttempt":true,"error":{"code":"no_memory","detail":"Not now."}}""")).Status.ShouldBe(HttpStatusCode.NoContent);
        var second = await TakeAsync("w");
        second.GetProperty("lease").GetProperty("attempt").GetInt32().ShouldBe(2);
        (await SendAsync(HttpMethod.Delete, $"/v1/jobs/{job}", null)).Status.ShouldBe(HttpStatusCode.OK);

        var orders = (await SendAsync(HttpMethod.Post, "/v1/workers/w/heartbeat", Json($$"""{"leases":[{{second.GetProperty("lease").GetRawText()}}]}"""))).Json;
        orders.GetProperty("lost").EnumerateArray().Select(l => l.GetString()).ShouldBe([job]);
        (await FinishAsync("w", second, """{"kind":"done","result":{},"timings":{},"output":null}""")).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_heartbeat_keeps_the_engines_that_a_worker_brought()
    {
        await JoinAsync("w", "1.0");
        await SendAsync(HttpMethod.Post, "/v1/workers/w/heartbeat", Json("""{"leases":[]}"""));

        bench.Roster.HasModel("brightness").ShouldBeTrue();
        bench.Roster.VersionOf("w", "brightness").ShouldBe("1.0");
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<JsonElement> JoinAsync(string worker, string version)
    {
        var answer = await SendAsync(HttpMethod.Put, $"/v1/workers/{worker}", Json($$"""{"lanes":1,"engines":[{{Engine.Replace("VERSION", version, StringComparison.Ordinal)}}]}"""));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private async Task<string> SubmitAsync(string query)
    {
        var answer = await SendAsync(HttpMethod.Post, $"/v1/jobs?engine=brightness&{query}", GatewayBench.Body(GatewayBench.Picture()));
        answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
        return answer.Json.GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> TakeAsync(string worker)
    {
        var answer = await SendAsync(HttpMethod.Post, $"/v1/workers/{worker}/take", Json("""{"queues":["brightness/brightness"],"waitSeconds":20}"""));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private Task<(HttpStatusCode Status, string Text, JsonElement Json)> FinishAsync(string worker, JsonElement started, string outcome) =>
        SendAsync(HttpMethod.Post, $"/v1/workers/{worker}/finish", Json($$"""{"lease":{{started.GetProperty("lease").GetRawText()}},"outcome":{{outcome}}}"""));

    private async Task<JsonElement> JobAsync(string id) => (await SendAsync(HttpMethod.Get, $"/v1/jobs/{id}", null)).Json;

    private async Task<string?> VersionAsync() =>
        (await SendAsync(HttpMethod.Get, "/v1/engines", null)).Json.GetProperty("engines").EnumerateArray().Single(e => e.GetProperty("name").GetString() == "brightness").GetProperty("version").GetString();

    private async Task<(HttpStatusCode Status, string Text, JsonElement Json)> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (path.StartsWith("/v1/workers/", StringComparison.Ordinal))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayBench.Token);
        using var answer = await bench.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text, text is ['{', ..] ? JsonDocument.Parse(text).RootElement : default);
    }
}
