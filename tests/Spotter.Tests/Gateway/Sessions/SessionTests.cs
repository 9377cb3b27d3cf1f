using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Sessions;

/// <summary>Sessions over HTTP, with workers that do what these tests tell them to.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private const string Hello = """{"name":"hello","id":"jW7qGV9dyuBYy5kYpcMHm","version":"1","mediaTypes":["application/json","image/*"],"together":true}""";
    private const string Count = """{"name":"count","version":"1","mediaTypes":["image/png"],"options":[{"name":"least","type":"whole","min":0,"max":9,"default":1}]}""";
    private const string Single = "/api/v1/process-single-engine";
    private const string Workflow = "/api/v1/process-workflow";

    private GatewayBench bench = null!;

    public async Task InitializeAsync()
    {
        bench = await GatewayBench.StartAsync(s => s with { Sessions = true, Jobs = s.Jobs with { Leases = new LeaseSettings { Duration = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromSeconds(0.5), Sweep = TimeSpan.FromSeconds(0.5) } } });
        await JoinAsync();
    }

    public async Task DisposeAsync() => await bench.DisposeAsync();

    [Fact]
    public async Task One_engine_gets_its_channels_and_answers_by_them()
    {
        var session = await StartAsync(Single, """{"engineId":"jW7qGV9dyuBYy5kYpcMHm","inputs":{"Control":{"type":"JSON","payload":{"data":"Hello"}}},"outputs":{"Result":{"type":"JSON","interested":true},"Status":{"type":"JSON","interested":true}},"resultChannels":["Result"],"rank":5}""");
        session.GetProperty("sessionId").GetString()!.ShouldStartWith("session-process-single-engine-5-");
        session.GetProperty("process").GetProperty("status").GetString().ShouldBeOneOf("pending", "queuing");

        var started = await TakeAsync("hello");
        (started.GetProperty("job").GetProperty("spec").GetProperty("priority").GetString()).ShouldBe("high");
        (await ReadAsync(started, 0)).ShouldBe("""{"Control":{"data":"Hello"}}""");
        await StateAsync(Single, session, "processing");
        await FinishAsync(started, """{"kind":"done","result":{"Result":{"data":"World"}},"timings":{},"output":null}""");

        var ended = await StateAsync(Single, session, "finished");
        ended.GetProperty("results").GetRawText().ShouldBe("""{"Result":[{"data":"World"}]}""");
        ended.GetProperty("process").GetRawText().ShouldBe("""{"status":"finished","total_pending":0,"total_queuing":0}""");
        (await SendAsync(HttpMethod.Get, $"{Single}/{IdOf(session)}?channel=Result", null)).Json.GetProperty("data").GetProperty("results").GetRawText().ShouldBe("""{"Result":[{"data":"World"}]}""");
        (await SendAsync(HttpMethod.Get, $"{Single}/{IdOf(session)}?channel=Status", null)).Status.ShouldBe(HttpStatusCode.NotFound, "resultChannels leaves it out");
        (await SendAsync(HttpMethod.Get, $"{Workflow}/{IdOf(session)}", null)).Status.ShouldBe(HttpStatusCode.NotFound, "it is of the other kind");
    }

    [Fact]
    public async Task What_engines_make_goes_on_to_others_and_each_step_is_run_once()
    {
        var picture = Convert.ToBase64String(GatewayBench.Picture());
        var session = await StartAsync(Workflow, $$"""
            {"dataChannels":[{"name":"in","type":"Image"},{"name":"options","type":"JSON"},{"name":"counts","type":"JSON"},{"name":"end","type":"JSON","interested":true},{"name":"all","type":"JSON","interested":true}],
             "engines":[
              {"id":"hello","inputs":[{"name":"Counts","type":"JSON","linkTo":"counts"},{"name":"Picture","type":"Image","linkTo":"in"}],"outputs":[{"name":"Result","type":"JSON","linkTo":"end"},{"name":"Status","type":"JSON","linkTo":"all"}]},
              {"id":"count","inputs":[{"name":"image","type":"Image","linkTo":"in"},{"name":"Control","type":"JSON","linkTo":"options"}],"outputs":[{"name":"Counted","type":"JSON","linkTo":"counts"},{"name":"Status","type":"JSON","linkTo":"all"}]}],
             "startData":[{"channelName":"in","payload":["{{picture}}","data:image/png;base64,{{picture}}"]},{"channelName":"options","payload":{"least":3} }]}
            """);

        // The engine for pictures makes a job of each.
        for (var i = 0; i < 2; i++)
        {
            var one = await TakeAsync("count");
            one.GetProperty("job").GetProperty("spec").GetProperty("parameters").GetRawText().ShouldBe("""{"least":3}""");
            await FinishAsync(one, """{"kind":"done","result":{"n":N},"timings":{},"output":null}""".Replace("N", $"{i}", StringComparison.Ordinal));
        }
        var last = await TakeAsync("hello");
        var document = JsonDocument.Parse(await ReadAsync(last, 0)).RootElement;
        document.GetProperty("Counts").EnumerateArray().Select(c => c.GetProperty("n").GetInt32()).Order().ShouldBe([0, 1]);
        document.GetProperty("Picture").GetRawText().ShouldBe("""{"inputs":[1,2]}""");
        last.GetProperty("job").GetProperty("spec").GetProperty("inputs").EnumerateArray().Select(i => i.GetProperty("mediaType").GetString()).ShouldBe(["application/json", "image/png", "image/png"]);
        await FinishAsync(last, """{"kind":"done","result":{"Result":[1,2,3]},"timings":{},"output":null}""");

        var ended = await StateAsync(Workflow, session, "finished");
        ended.GetProperty("results").GetProperty("end").GetRawText().ShouldBe("[1,2,3]");
        ended.GetProperty("results").GetProperty("all").EnumerateArray().Select(s => s.GetProperty("type").GetString()).ShouldBe(["finish", "finish", "finish"]);
        (await bench.Jobs.CountAsync(default)).Jobs.Succeeded.ShouldBe(4);
    }

    [Fact]
    public async Task A_gateway_that_stops_in_the_middle_goes_on_where_it_was()
    {
        var session = await StartAsync(Workflow, Chain);
        await FinishAsync(await TakeAsync("count"), """{"kind":"done","result":{"n":1},"timings":{},"output":null}""");
        var second = await TakeAsync("hello");

        await bench.RestartAsync();
        await JoinAsync();

        await FinishAsync(second, """{"kind":"done","result":{"Result":"ok"},"timings":{},"output":null}""");
        (await StateAsync(Workflow, session, "finished")).GetProperty("results").GetRawText().ShouldBe("""{"end":["ok"]}""");
        (await bench.Jobs.CountAsync(default)).Jobs.Succeeded.ShouldBe(3, "no step was made twice");
    }

    [Fact]
    public async Task A_session_whose_lease_has_run_out_is_finished_by_somebody_else()
    {
        var session = await StartAsync(Workflow, Chain);
        var first = await TakeAsync("count");
        var row = await bench.Jobs.FindAsync(JobId.Parse(IdOf(session)[^32..]), default);
        // As if the gateway that has it had been killed.
        await bench.Jobs.ReleaseAsync(row!.Worker, new JobError(ErrorCodes.WorkerDied, "It was killed."), spendAttempt: true, default);

        await FinishAsync(first, """{"kind":"done","result":{"n":1},"timings":{},"output":null}""");
        await FinishAsync(await TakeAsync("hello"), """{"kind":"done","result":{"Result":"ok"},"timings":{},"output":null}""");
        (await StateAsync(Workflow, session, "finished")).GetProperty("results").GetRawText().ShouldBe("""{"end":["ok"]}""");
        (await bench.Jobs.CountAsync(default)).Jobs.Succeeded.ShouldBe(3);
    }

    [Fact]
    public async Task Stopping_cancels_what_runs_and_what_would_follow()
    {
        var session = await StartAsync(Workflow, Chain);
        var first = await TakeAsync("count");

        (await SendAsync(HttpMethod.Post, $"{Workflow}/{IdOf(session)}/stop", null)).Status.ShouldBe(HttpStatusCode.OK);

        await StateAsync(Workflow, session, "canceled");
        (await SendAsync(HttpMethod.Post, "/v1/workers/w/finish", Json("{\"lease\":" + first.GetProperty("lease").GetRawText() + ""","outcome":{"kind":"done","result":{},"timings":{},"output":null}}"""))).Status.ShouldBe(HttpStatusCode.Conflict);
        (await SendAsync(HttpMethod.Post, $"{Workflow}/{IdOf(session)}/stop", null)).Status.ShouldBe(HttpStatusCode.OK, "once more does no harm");
        (await bench.Jobs.CountAsync(default)).Jobs.Cancelled.ShouldBe(2);
    }

    [Theory]
    [InlineData("""{"kind":"reject","error":{"code":"too_dark","detail":"It is dark."}}""", "It is dark.")]
    [InlineData("""{"kind":"done","result":{"Status":{"type":"error","message":"No luck."},"Result":1},"timings":{},"output":null}""", "No luck.")]
    public async Task A_session_fails_with_its_first_engine_and_the_others_are_cancelled(string outcome, string says)
    {
        var session = await StartAsync(Workflow, """
            {"dataChannels":[{"name":"in","type":"JSON"},{"name":"end","type":"JSON","interested":true},{"name":"status","type":"JSON","interested":true}],
             "engines":[{"id":"hello","inputs":[{"name":"A","type":"JSON","linkTo":"in"}],"outputs":[{"name":"Result","type":"JSON","linkTo":"end"},{"name":"Status","type":"JSON","linkTo":"status"}]},
                        {"id":"hello","inputs":[{"name":"B","type":"JSON","linkTo":"in"}],"outputs":[{"name":"Result","type":"JSON","linkTo":"end"}]}],
             "startData":[{"channelName":"in","payload":1}]}
            """);
        var (one, other) = (await TakeAsync("hello"), await TakeAsync("hello"));
        var (first, second) = (await ReadAsync(one, 0)) == """{"A":1}""" ? (one, other) : (other, one);

        await FinishAsync(first, outcome);

        await StateAsync(Workflow, session, "failed");
        var answer = await SendAsync(HttpMethod.Get, $"{Workflow}/{IdOf(session)}", null);
        answer.Json.GetProperty("message").GetString()!.ShouldContain(says);
        answer.Json.GetProperty("data").GetProperty("results").GetProperty("status").EnumerateArray().Last().GetProperty("message").GetString()!.ShouldContain(says);
        (await SendAsync(HttpMethod.Get, $"/v1/jobs/{JobOf(second)}", null)).Json.GetProperty("state").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task The_answer_may_wait_for_the_end()
    {
        var waiting = SendAsync(HttpMethod.Post, Single, Json("""{"engineId":"hello","inputs":{"Control":{"type":"JSON","payload":1}},"waitTimeSecond":30}"""));
        await FinishAsync(await TakeAsync("hello"), """{"kind":"done","result":{"answer":2},"timings":{},"output":null}""");

        var data = (await waiting).Json.GetProperty("data");

        (data.GetProperty("process").GetProperty("status").GetString(), data.GetProperty("results").GetRawText()).ShouldBe(("finished", """{"Result":[{"answer":2}],"Status":[{"type":"finish"}]}"""));
    }

    [Fact]
    public async Task Waiting_sessions_say_how_many_wait_and_their_place()
    {
        var first = await StartAsync(Single, """{"engineId":"hello","inputs":{"Control":{"type":"JSON","payload":1}}}""");
        var second = await StartAsync(Single, """{"engineId":"hello","inputs":{"Control":{"type":"JSON","payload":1}}}""");

        var one = (await UntilAsync(Single, first, d => d.GetProperty("process").GetProperty("total_pending").GetInt64() == 2)).GetProperty("process");
        one.GetProperty("status").GetString().ShouldBe("pending");
        var process = (await UntilAsync(Single, second, d => d.GetProperty("process").TryGetProperty("current_position", out var p) && p.GetInt64() == 1)).GetProperty("process");
        process.GetProperty("total_queuing").GetInt64().ShouldBe(0);

        await FinishAsync(await TakeAsync("hello"), """{"kind":"retry","spendAttempt":true,"error":{"code":"no_memory","detail":"Not now."}}""");
        await UntilAsync(Single, first, d => d.GetProperty("process").GetProperty("status").GetString() is "queuing" or "pending");
    }

    [Theory]
    [InlineData("""{"engineId":"hello"}""", 400)]
    [InlineData("""{"engineId":"nobody","inputs":{"C":{"type":"JSON","payload":1}}}""", 422)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"webhooks":[{"callbackUrl":"http://169.254.169.254/"}]}""", 422)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"webhooks":[{"callbackUrl":"https://example.com/","callbackHeader":{"Host":"x"}}]}""", 400)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"webhooks":[{"callbackUrl":"https://example.com/","callbackHeader":{"A":"b\r\nC: d"}}]}""", 400)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"webhooks":[{"callbackUrl":"https://example.com/","statusTypes":[null]}]}""", 400)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"waitTimeSecond":-1}""", 400)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"rank":"high"}""", 400)]
    [InlineData("""{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}},"resultChannels":[null]}""", 400)]
    [InlineData("DEEP", 400)]
    [InlineData("LONG", 413)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("", 400)]
    [InlineData("{", 400)]
    public async Task A_request_that_can_not_be_is_refused_in_the_form_of_the_api(string json, int status)
    {
        var deep = """{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":""" + new string('[', 62) + new string(']', 62) + "}}}";
        var answer = await SendAsync(HttpMethod.Post, Single, Json(json switch { "DEEP" => deep, "LONG" => new string(' ', 1_000_000), _ => json }));

        ((int)answer.Status).ShouldBe(status, answer.Text);
        answer.Json.GetProperty("status").GetString().ShouldBe("error");
        answer.Json.GetProperty("message").GetString()!.Length.ShouldBeGreaterThan(10);
        (await bench.Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);
    }

    [Theory]
    [InlineData("session-process-single-engine-0-1635242482.3139913-HUWxQmER0lI3BuztWjW7V")]
    [InlineData("session-process-single-engine-0-1.5-0123456789abcdef0123456789abcdef")]
    [InlineData("a%2Fb%20%27")]
    public async Task A_session_that_is_not_there_is_not_found(string id)
    {
        var answer = await SendAsync(HttpMethod.Get, $"{Single}/{id}", null);

        (answer.Status, answer.Json.GetProperty("status").GetString()).ShouldBe((HttpStatusCode.NotFound, "error"));
    }

    [Fact]
    public async Task What_the_guide_of_BlueEdge_sends_is_taken_with_its_comments_and_an_empty_webhook()
    {
        var session = await StartAsync(Single, """
            {
              "engineId": "hello", // Must match Engine's ID
              "inputs": {"Control": {"type": "JSON", "payload": {"data": "Hello"},}},
              "webhooks": [{"statusTypes": ["finish"], "callbackUrl": "", "callbackHeader": {}, "resultChan": "Other"}],
              "waitTimeSecond": 0
            }
            """);

        session.GetProperty("process").GetProperty("status").GetString().ShouldBeOneOf("pending", "queuing");
    }

    [Theory]
    [InlineData("""{"engineId":"filter","inputs":{"Image":{"type":"Image","payload":"\ud800"}}}""")]
    [InlineData("""{"engineId":"count","inputs":{"Image":{"type":"Image","payload":"AAAA"},"C":{"type":"JSON","payload":{"\ud800":1}}}}""")]
    public async Task Half_a_character_fails_the_session_at_once(string json)
    {
        var session = await StartAsync(Single, json);

        await StateAsync(Single, session, "failed");
        (await SendAsync(HttpMethod.Get, $"{Single}/{IdOf(session)}", null)).Json.GetProperty("message").GetString()!.ShouldContain("half a character");
    }

    [Fact]
    public async Task A_body_that_does_not_say_how_long_it_is_is_not_read_to_its_end()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Single) { Content = new StreamContent(new MemoryStream([.. "{\"engineId\":\""u8, .. Enumerable.Repeat((byte)'1', 1_000_000)])) };
        request.Headers.TransferEncodingChunked = true;

        using var answer = await bench.Client.SendAsync(request);

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task Each_engine_and_file_costs_its_client_a_submission()
    {
        await bench.DisposeAsync();
        using var folder = new TemporaryFolder();
        var (file, keys) = (new KeyFile(folder.File("keys.json")), new List<string>());
        foreach (var name in (string[])["one", "two"])
        {
            var (kept, key) = ApiKey.Make(name, name, KeyScopes.Submit, RandomSource.System, TimeProvider.System.GetUtcNow());
            await file.AddAsync(kept, TimeProvider.System, default);
            keys.Add(key);
        }
        bench = await GatewayBench.StartAsync(s => s with { Sessions = true, KeysFile = file.Path, ClientRate = 0.01, ClientBurst = 4 });
        await JoinAsync();
        const string One = """{"engineId":"hello","inputs":{"C":{"type":"JSON","payload":1}}}""";
        var four = """{"engineId":"count","inputs":{"i":{"type":"Image","payload":["A","A","A","A"]}}}""";

        (await SendAsync(HttpMethod.Post, Single, Json(One), keys[0])).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Post, Single, Json(One), keys[0])).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Post, Single, Json(four), keys[1])).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Post, Single, Json(One), keys[1])).Status.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Neither_a_full_queue_nor_an_old_one_keeps_out_what_a_session_has_begun()
    {
        await bench.DisposeAsync();
        bench = await GatewayBench.StartAsync(s => s with { Sessions = true, Jobs = s.Jobs with { MaxQueued = 2 } });
        await JoinAsync();
        var session = await StartAsync(Workflow, Chain);
        var first = await TakeAsync("count");
        await bench.SubmitAsync();
        await bench.SubmitAsync();
        await UntilFullAsync();

        await FinishAsync(first, """{"kind":"done","result":{"n":1},"timings":{},"output":null}""");
        await FinishAsync(await TakeAsync("hello"), """{"kind":"done","result":{"Result":"ok"},"timings":{},"output":null}""");

        await StateAsync(Workflow, session, "finished");
    }

    private async Task UntilFullAsync()
    {
        using var patience = new CancellationTokenSource(GatewayBench.Safety);
        while ((await SendAsync(HttpMethod.Post, "/v1/jobs", GatewayBench.Body(GatewayBench.Picture()))).Status != HttpStatusCode.ServiceUnavailable)
        {
            patience.IsCancellationRequested.ShouldBeFalse("the queue is not full");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    [Fact]
    public async Task A_picture_that_is_none_fails_the_session_and_says_why()
    {
        var session = await StartAsync(Single, """{"engineId":"count","inputs":{"image":{"type":"Image","payload":"AAAAAAAA"}}}""");

        await StateAsync(Single, session, "failed");
        (await SendAsync(HttpMethod.Get, $"{Single}/{IdOf(session)}", null)).Json.GetProperty("message").GetString()!.ShouldContain("count");
    }

    [Fact]
    public async Task No_worker_is_started_for_sessions_and_nobody_is_said_to_be_missing()
    {
        var queue = QueueNames.Of(QueueNames.WorkflowEngine, QueueNames.WorkflowModel);

        bench.Service.Unserved.MayBeServed(queue).ShouldBeFalse();
        bench.Service.Unserved.ReasonFor(queue).ShouldBeNull();
        var taken = await SendAsync(HttpMethod.Put, "/v1/workers/liar", Json("""{"lanes":1,"engines":[{"name":"workflow","version":"1"}]}"""));
        taken.Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    private const string Chain = """
        {"dataChannels":[{"name":"in","type":"Image"},{"name":"mid","type":"JSON"},{"name":"end","type":"JSON","interested":true}],
         "engines":[{"id":"count","inputs":[{"name":"i","type":"Image","linkTo":"in"}],"outputs":[{"name":"r","type":"JSON","linkTo":"mid"}]},
                    {"id":"hello","inputs":[{"name":"m","type":"JSON","linkTo":"mid"}],"outputs":[{"name":"Result","type":"JSON","linkTo":"end"}]}],
         "startData":[{"channelName":"in","payload":"PICTURE"}]}
        """;

    private static StringContent Json(string text) => new(text.Replace("PICTURE", Convert.ToBase64String(GatewayBench.Picture()), StringComparison.Ordinal), Encoding.UTF8, "application/json");

    private static string IdOf(JsonElement session) => session.GetProperty("sessionId").GetString()!;

    private static string JobOf(JsonElement started) => started.GetProperty("job").GetProperty("id").GetString()!;

    private async Task JoinAsync() =>
        (await SendAsync(HttpMethod.Put, "/v1/workers/w", Json($$"""{"lanes":4,"engines":[{{Hello}},{{Count}}]}"""))).Status.ShouldBe(HttpStatusCode.OK);

    private async Task<JsonElement> StartAsync(string path, string request)
    {
        var answer = await SendAsync(HttpMethod.Post, path, Json(request));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Json.GetProperty("status").GetString().ShouldBe("success");
        return answer.Json.GetProperty("data");
    }

    private Task<JsonElement> StateAsync(string path, JsonElement session, string state) => UntilAsync(path, session, d => d.GetProperty("process").GetProperty("status").GetString() == state);

    private async Task<JsonElement> UntilAsync(string path, JsonElement session, Func<JsonElement, bool> isSo)
    {
        using var patience = new CancellationTokenSource(GatewayBench.Safety);
        while (true)
        {
            var answer = await SendAsync(HttpMethod.Get, $"{path}/{IdOf(session)}", null);
            answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
            if (isSo(answer.Json.GetProperty("data")))
                return answer.Json.GetProperty("data");
            patience.IsCancellationRequested.ShouldBeFalse(answer.Text);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    private async Task<JsonElement> TakeAsync(string engine)
    {
        var answer = await SendAsync(HttpMethod.Post, "/v1/workers/w/take", Json($$"""{"queues":["{{engine}}/{{engine}}"],"waitSeconds":20}"""));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private async Task<string> ReadAsync(JsonElement started, int input)
    {
        var key = started.GetProperty("job").GetProperty("spec").GetProperty("inputs")[input].GetProperty("key").GetString()!;
        return (await SendAsync(HttpMethod.Get, $"/v1/workers/w/input?job={JobOf(started)}&key={Uri.EscapeDataString(key)}", null)).Text;
    }

    private async Task FinishAsync(JsonElement started, string outcome)
    {
        var answer = await SendAsync(HttpMethod.Post, "/v1/workers/w/finish", Json($$"""{"lease":{{started.GetProperty("lease").GetRawText()}},"outcome":{{outcome}}}"""));
        answer.Status.ShouldBe(HttpStatusCode.NoContent, answer.Text);
    }

    private async Task<(HttpStatusCode Status, string Text, JsonElement Json)> SendAsync(HttpMethod method, string path, HttpContent? content, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (path.StartsWith("/v1/workers/", StringComparison.Ordinal))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayBench.Token);
        else if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await bench.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text, text is ['{', ..] ? JsonDocument.Parse(text).RootElement : default);
    }
}
