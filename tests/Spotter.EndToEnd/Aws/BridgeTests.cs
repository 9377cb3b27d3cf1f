namespace Spotter.EndToEnd.Aws;

/// <summary>Workers of earlier services behind a gateway: <c>spotter bridge</c>.</summary>
public sealed class BridgeTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // Found in pictures that are not black.
    private static readonly IReadOnlyList<OldLabel> Objects = [new("car", 0.5, 0.25, 0.5, 0.5), new("person", 0.875, 0.5, 0.5, 1), new("car", 0.25, 0.25, 0.25, 0.25)];

    private readonly TemporaryFolder folder = new();
    private MotoServer moto = null!;
    private OldBot bot = null!;
    private OldWorker worker = null!;
    private int bridges;

    private static Dictionary<string, string> Environment => new(MotoServer.Credentials, StringComparer.Ordinal)
    {
        ["AWS_REGION"] = "eu-central-1",
        ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "6",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "1",
    };

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is not null)
            return;
        moto = await MotoServer.StartAsync();
        bot = await OldBot.StartAsync(moto);
        worker = new OldWorker(moto, bot, picture => picture.AsSpan().SequenceEqual(Pictures.Png(0)) ? [] : Objects);
    }

    public async Task DisposeAsync()
    {
        if (moto is not null)
            await moto.DisposeAsync();
        folder.Dispose();
    }

    [MotoFact]
    public async Task A_worker_of_a_bot_with_two_queues_works_for_a_gateway()
    {
        await using var gateway = await StartGatewayAsync();
        await using var bridge = await StartBridgeAsync(gateway, "s2");
        using var api = new SpotterApi(gateway.Address);
        await bot.SendAsync("""{"message":{"prediction_id":"theirs","chat":{"id":"5"},"photo":true,"caption":"prediction_result","status_code":200,"text":{}}}""", OldBot.Results);

        var picture = Pictures.Png(200, width: 80, height: 40);
        var id = await SubmitAsync(api, picture, "a.b.c.png");
        await worker.WorkAsS2Async(times: 2);
        var job = await api.EndOfAsync(id, Patience);

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText() + bridge.Log);
        var result = job.GetProperty("result");
        (result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32()).ShouldBe((80, 40));
        var found = result.GetProperty("detections").EnumerateArray().ToList();
        found.ConvertAll(d => d.GetProperty("label").GetString()).ShouldBe(["car", "person", "car"]);
        found[0].GetProperty("box").ToString().ShouldBe("""{"x1":20,"y1":0,"x2":60,"y2":20}""");
        // What would be outside of the picture is cut off.
        found[1].GetProperty("box").ToString().ShouldBe("""{"x1":50,"y1":0,"x2":80,"y2":40}""");
        result.GetProperty("summary").ToString().ShouldBe("""{"car":2,"person":1}""");
        worker.Seen.ShouldHaveSingleItem().ShouldBe(picture);
        worker.Names.ShouldHaveSingleItem().Count(c => c == '.').ShouldBe(1);
        // Its own annotated picture, drawn without any other worker.
        (await api.GetAsync($"/v1/jobs/{id}/image")).MediaType.ShouldBe("image/jpeg");

        var none = await SubmitAsync(api, Pictures.Png(0));
        await worker.WorkAsS2Async();
        var empty = await api.EndOfAsync(none, Patience);
        SpotterApi.StateOf(empty).ShouldBe("succeeded", empty.GetRawText());
        empty.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBe(0);

        // The result that came twice is gone; what is somebody else's is left for them.
        await Eventually.SeeAsync("only the other's result is left", () => bot.CountAsync(OldBot.Results), left => left == 1, Patience);
        (await bot.HearAsync()).ShouldContain("theirs");
        (await bridge.TerminateAsync()).ShouldBe(0, bridge.Log);
        bridge.Log.ShouldContain("came once more");
    }

    [MotoFact]
    public async Task A_failure_is_tried_again_and_silence_has_an_end()
    {
        await using var gateway = await StartGatewayAsync();
        await using var bridge = await StartBridgeAsync(gateway, "s2", "--wait", "10");
        using var api = new SpotterApi(gateway.Address);

        var damaged = await SubmitAsync(api, Pictures.Png(200)[..60]);
        SpotterApi.StateOf(await api.EndOfAsync(damaged, Patience)).ShouldBe("failed");
        (await bot.CountAsync(OldBot.Requests)).ShouldBe(0, "a damaged picture is shown to no old worker");

        var failing = await SubmitAsync(api, Pictures.Png(180));
        await worker.WorkAsS2Async(fails: true);
        await worker.WorkAsS2Async();
        var second = await api.EndOfAsync(failing, Patience);
        SpotterApi.StateOf(second).ShouldBe("succeeded", second.GetRawText());
        second.GetProperty("attempts").GetInt32().ShouldBe(2);

        var silent = await api.EndOfAsync(await SubmitAsync(api, Pictures.Png(200)), Patience);
        SpotterApi.StateOf(silent).ShouldBe("failed", silent.GetRawText());
        silent.GetProperty("error").GetProperty("code").GetString().ShouldBe("job_timeout");
        silent.GetProperty("error").GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("within 10 s");
        // By now nobody waits for it.
        await worker.WorkAsS2Async();
        await Eventually.SeeAsync("the late result is dropped", () => bot.CountAsync(OldBot.Results), left => left == 0, Patience);
        (await bridge.TerminateAsync()).ShouldBe(0, bridge.Log);
        bridge.Log.ShouldContain("too late");
    }

    [MotoFact]
    public async Task A_bridge_that_is_killed_leaves_its_job_to_the_next_one_and_there_is_one_result()
    {
        await using var gateway = await StartGatewayAsync();
        using var api = new SpotterApi(gateway.Address);
        string id;
        await using (var killed = await StartBridgeAsync(gateway, "s2"))
        {
            id = await SubmitAsync(api, Pictures.Png(200));
            await Eventually.SeeAsync("the request is sent", () => bot.CountAsync(OldBot.Requests), count => count == 1, Patience);
            await killed.KillAsync();
        }
        await using var first = await StartBridgeAsync(gateway, "s2");
        await using var second = await StartBridgeAsync(gateway, "s2");
        // The request of the killed bridge is still there, and so is its picture.
        await worker.WorkAsS2Async();
        await worker.WorkAsS2Async();

        var job = await api.EndOfAsync(id, Patience);

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        job.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBe(3);
        worker.Seen.Count.ShouldBe(2);
        worker.Seen.TrueForAll(picture => picture.AsSpan().SequenceEqual(Pictures.Png(200))).ShouldBeTrue();

        // Two bridges read one queue, and each job gets the result that is its own.
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
            ids.Add(await SubmitAsync(api, Pictures.Png((byte)(i % 2 == 0 ? 200 : 0))));
        for (var i = 0; i < ids.Count; i++)
            await worker.WorkAsS2Async();
        for (var i = 0; i < ids.Count; i++)
        {
            var ended = await api.EndOfAsync(ids[i], Patience);
            SpotterApi.StateOf(ended).ShouldBe("succeeded", ended.GetRawText() + first.Log + second.Log);
            ended.GetProperty("result").GetProperty("detections").GetArrayLength().ShouldBe(i % 2 == 0 ? 3 : 0);
        }
    }

    [MotoFact]
    public async Task A_worker_of_a_bot_that_is_called_works_for_a_gateway_and_says_nothing_when_it_finds_nothing()
    {
        await using var gateway = await StartGatewayAsync();
        await using var bridge = await StartBridgeAsync(gateway, "s1", "--wait", "15");
        using var api = new SpotterApi(gateway.Address);

        var id = await SubmitAsync(api, Pictures.Png(200));
        await worker.WorkAsS1Async();
        var job = await api.EndOfAsync(id, Patience);
        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText() + bridge.Log);
        job.GetProperty("result").GetProperty("summary").ToString().ShouldBe("""{"car":2,"person":1}""");

        var none = await SubmitAsync(api, Pictures.Png(0));
        await worker.WorkAsS1Async();
        var ended = await api.EndOfAsync(none, Patience);
        SpotterApi.StateOf(ended).ShouldBe("failed", ended.GetRawText());
        ended.GetProperty("error").GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("write nothing when they find nothing");
        (await bridge.TerminateAsync()).ShouldBe(0, bridge.Log);
    }

    [MotoFact]
    public async Task An_app_tier_classifies_for_a_gateway()
    {
        await File.WriteAllTextAsync(folder.File("labels.txt"), "bus\ncar\n");
        await using var gateway = await StartGatewayAsync();
        await using var bridge = await StartBridgeAsync(gateway, "s3", "--labels", folder.File("labels.txt"), "--model-id", "tier");
        using var api = new SpotterApi(gateway.Address);

        var id = await SubmitAsync(api, Pictures.Png(200));
        await worker.WorkAsS3Async();
        var job = await api.EndOfAsync(id, Patience);

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText() + bridge.Log);
        (job.GetProperty("engine").GetString(), job.GetProperty("model").GetString()).ShouldBe(("classify", "tier"));
        job.GetProperty("result").GetProperty("labels").ToString().ShouldBe("""[{"label":"car","classId":1,"confidence":1}]""");
        (await bridge.TerminateAsync()).ShouldBe(0, bridge.Log);
    }

    [MotoTheory]
    [InlineData("s2", "--messages-request-queue", "none", "There is no SQS queue 'none'")]
    [InlineData("s2", "--messages-bucket", "none-such", "There is no S3 bucket 'none-such'")]
    [InlineData("s1", "--messages-table", "none", "There is no DynamoDB table 'none'")]
    [InlineData("s0", "--messages-bucket", "any", "no bridge can use them")]
    public async Task A_bridge_to_what_is_not_there_is_refused(string service, string flag, string name, string words)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--messages-request-queue"] = OldBot.Requests, ["--messages-result-queue"] = OldBot.Results, ["--messages-bucket"] = OldBot.Bucket, ["--messages-table"] = OldBot.Table, [flag] = name,
        };
        var (status, _, errors) = await SpotterProgram.RunWithAsync(
            Environment, ["bridge", "--server", "http://127.0.0.1:9", "--compat", service, "--messages-endpoint", moto.Address.ToString(), .. parts.SelectMany(p => (string[])[p.Key, p.Value])]);

        status.ShouldBe(1);
        errors.ShouldContain(words);
    }

    private Task<SpotterProcess> StartGatewayAsync() => SpotterProcess.StartAsync(folder.File("data"), model: null, environment: Environment, command: "gateway");

    private async Task<SpotterProcess> StartBridgeAsync(SpotterProcess gateway, string service, params string[] more)
    {
        var name = $"bridge-{++bridges}";
        var bridge = SpotterProcess.StartJoining(
            gateway.Address,
            [
                "bridge", "--name", name, "--compat", service, "--messages-request-queue", OldBot.Requests, "--messages-result-queue", OldBot.Results, "--messages-bucket", OldBot.Bucket, "--messages-table", OldBot.Table,
                "--messages-endpoint", moto.Address.ToString(), .. more,
            ],
            Environment);
        using var api = new SpotterApi(gateway.Address);
        await Eventually.SeeAsync("the bridge has joined", async () => (await api.GetAsync("/v1/models")).Text, models => bridge.HasExited || models.Contains($"\"{name}\"", StringComparison.Ordinal), Patience);
        bridge.HasExited.ShouldBeFalse(bridge.Log);
        return bridge;
    }

    private static async Task<string> SubmitAsync(SpotterApi api, byte[] picture, string name = "picture.png")
    {
        var answer = await api.SubmitAsync([Part.Image(picture, name)]);
        ((int)answer.Status).ShouldBe(202, answer.Text);
        return SpotterApi.IdOf(answer.Json);
    }
}
