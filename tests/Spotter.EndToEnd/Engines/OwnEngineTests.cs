using System.Net;
using System.Text;
using System.Text.Json;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Engines;

/// <summary>The examples of engines that users write, in Python and in C#, at a gateway that has nothing else.</summary>
public sealed class OwnEngineTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly Dictionary<string, string> Surroundings = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = Token,
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "6",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<EngineProcess> engines = [];
    private SpotterProcess gateway = null!;
    private SpotterApi api = null!;

    public async Task InitializeAsync()
    {
        gateway = await StartAsync();
        api = new SpotterApi(gateway.Address);
    }

    public async Task DisposeAsync()
    {
        foreach (var engine in engines)
        {
            output.WriteLine($"{engine.Log}\n");
            await engine.DisposeAsync();
        }
        output.WriteLine(gateway.Log);
        api.Dispose();
        await gateway.DisposeAsync();
        folder.Dispose();
    }

    [PythonFact]
    public async Task An_engine_in_Python_answers_as_those_that_come_with_Spotter()
    {
        await JoinAsync(EngineProcess.StartPython(gateway.Address, Token, "py"));

        var job = await api.RunAsync(Pictures.Png(200), Part.Field("engine", "brightness"), Part.Field("threshold", "100"), Part.Field("histogram", "true"));

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        var result = job.GetProperty("result");
        result.GetProperty("mean").GetDouble().ShouldBeInRange(0, 255);
        result.GetProperty("summary").GetString().ShouldStartWith("mean ");
        (job.GetProperty("engine").GetString(), job.GetProperty("modelVersion").GetString()).ShouldBe(("brightness", "1.0"));
        var file = job.GetProperty("outputs")[0];
        (file.GetProperty("name").GetString(), file.GetProperty("type").GetString()).ShouldBe(("histogram.csv", "text/csv"));
        var histogram = await api.GetAsync(file.GetProperty("url").GetString()!);
        var counts = histogram.Text.TrimEnd().Split('\n')[1..].Select(line => int.Parse(line.Split(',')[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        counts.Count.ShouldBe(256);
        counts.Sum().ShouldBe(result.GetProperty("width").GetInt32() * result.GetProperty("height").GetInt32());
        (await api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/output")).Text.ShouldEndWith(result.GetProperty("summary").GetString()!);

        // A uniform picture says what its pixels are, so the engine has read it and not the head alone.
        var grey = await api.RunAsync(Pictures.Colour(90, 90, 90), Part.Field("engine", "brightness"));
        grey.GetProperty("result").GetProperty("mean").GetDouble().ShouldBe(90, 0.01);
        grey.GetProperty("result").GetProperty("bright").GetDouble().ShouldBe(0);

        var again = await api.RunAsync(Pictures.Colour(90, 90, 90), Part.Field("engine", "brightness"), Part.Field("reuse", "true"));
        again.GetProperty("cachedFrom").GetString().ShouldBe(SpotterApi.IdOf(grey));
        var damaged = Pictures.Png(200)[..^60];
        var failed = await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync([Part.Field("engine", "brightness"), Part.Image(damaged)])).Json), Patience);
        (SpotterApi.StateOf(failed), failed.GetProperty("error").GetProperty("code").GetString()!.StartsWith("image_", StringComparison.Ordinal)).ShouldBe(("failed", true), failed.GetRawText());
        (await api.SubmitAsync([Part.Field("engine", "brightness"), Part.Field("threshold", "256"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(400, "invalid_request");
    }

    [PythonFact]
    public Task A_job_whose_worker_in_Python_is_killed_is_finished_by_another() =>
        A_job_whose_worker_is_killed_is_finished_by_another("brightness", name => EngineProcess.StartPython(gateway.Address, Token, name), Pictures.Png(10));

    [Fact]
    public Task A_job_whose_worker_in_CSharp_is_killed_is_finished_by_another() =>
        A_job_whose_worker_is_killed_is_finished_by_another("colours", name => EngineProcess.StartCSharp(gateway.Address, Token, name), Gif());

    [PythonFact]
    public Task A_worker_in_Python_hears_of_a_cancellation_and_goes_on() =>
        A_worker_hears_of_a_cancellation_and_goes_on("brightness", () => EngineProcess.StartPython(gateway.Address, Token, "py"), Pictures.Png(10));

    [Fact]
    public Task A_worker_in_CSharp_hears_of_a_cancellation_and_goes_on() =>
        A_worker_hears_of_a_cancellation_and_goes_on("colours", () => EngineProcess.StartCSharp(gateway.Address, Token, "cs", "--lanes", "1"), Gif());

    [PythonFact]
    public Task A_worker_in_Python_finishes_what_it_runs_when_it_is_told_to_end() =>
        A_worker_finishes_what_it_runs_when_it_is_told_to_end("brightness", () => EngineProcess.StartPython(gateway.Address, Token, "py"), Pictures.Png(10));

    [Fact]
    public Task A_worker_in_CSharp_finishes_what_it_runs_when_it_is_told_to_end() =>
        A_worker_finishes_what_it_runs_when_it_is_told_to_end("colours", () => EngineProcess.StartCSharp(gateway.Address, Token, "cs", "--lanes", "1"), Gif());

    [Fact]
    public async Task An_engine_in_CSharp_answers_as_those_that_come_with_Spotter()
    {
        await JoinAsync(EngineProcess.StartCSharp(gateway.Address, Token, "cs"));

        var job = await RunAsync("colours", Gif(), Part.Field("most", "2"));

        SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
        job.GetProperty("result").GetRawText().ShouldBe("""{"count":4,"colours":["#000000","#ff0000"],"summary":"4 colours"}""");
        job.GetProperty("modelVersion").GetString().ShouldBe("1.0");
        (await api.GetAsync(job.GetProperty("outputs")[0].GetProperty("url").GetString()!)).Text.ShouldBe("#000000\n#ff0000\n#00ff00\n#0000ff");
        var refused = await RunAsync("colours", [.. "GIF89a"u8, 1, 0, 1, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 0, 0, 0, 255, 255, 255, 2, 2, 0x44, 1, 0, 0x3B]);
        (SpotterApi.StateOf(refused), refused.GetProperty("error").GetProperty("code").GetString()).ShouldBe(("failed", "no_palette"));
    }

    [PythonFact]
    public async Task What_was_declared_outlives_the_worker_and_the_gateway_and_workers_come_back_by_themselves()
    {
        await JoinAsync(EngineProcess.StartPython(gateway.Address, Token, "py"));
        var port = gateway.Address.Port;
        await gateway.KillAsync();
        await gateway.DisposeAsync();
        gateway = await StartAsync(port);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(20), Part.Field("engine", "brightness"))).ShouldBe("succeeded", "the worker has joined again");

        (await engines[0].EndAsync(Processes.Terminate)).ShouldBe(0, engines[0].Log);
        (await gateway.TerminateAsync()).ShouldBe(0);
        await gateway.DisposeAsync();
        gateway = await StartAsync(port);
        var waiting = await api.SubmitAsync([Part.Field("engine", "brightness"), Part.Image(Pictures.Png(30))]);
        waiting.Status.ShouldBe(HttpStatusCode.Accepted, waiting.Text);
        waiting.Json.GetProperty("waitsFor").GetString().ShouldStartWith("No worker runs the engine 'brightness' now");
        await JoinAsync(EngineProcess.StartPython(gateway.Address, Token, "py2"));
        SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf(waiting.Json), Patience)).ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_wrong_token_is_refused_with_what_to_do()
    {
        await using var stranger = EngineProcess.StartCSharp(gateway.Address, new string('x', 32), "cs");
        await Eventually.SeeAsync("it ends", () => Task.FromResult(stranger.HasExited), ended => ended, Patience);
        stranger.Log.ShouldContain("worker token");
    }

    private async Task A_job_whose_worker_is_killed_is_finished_by_another(string engine, Func<string, EngineProcess> start, byte[] picture)
    {
        var first = await JoinAsync(start("first"));
        var id = await SubmitAsync(engine, picture, pause: 6);
        await RunningAsync(id);
        await first.EndAsync(Processes.Kill);
        await JoinAsync(start("second"));

        var job = await api.EndOfAsync(id, Patience);

        (SpotterApi.StateOf(job), job.GetProperty("attempts").GetInt32()).ShouldBe(("succeeded", 2), job.GetRawText());
    }

    private async Task A_worker_hears_of_a_cancellation_and_goes_on(string engine, Func<EngineProcess> start, byte[] picture)
    {
        var worker = await JoinAsync(start());
        var id = await SubmitAsync(engine, picture, pause: 60);
        await RunningAsync(id);
        (await api.DeleteAsync($"/v1/jobs/{id}")).Status.ShouldBe(HttpStatusCode.OK);

        // Its one lane is free long before the pause is over.
        var next = await api.EndOfAsync(await SubmitAsync(engine, picture, pause: 0), TimeSpan.FromSeconds(40));

        SpotterApi.StateOf(next).ShouldBe("succeeded", worker.Log);
        SpotterApi.StateOf(await api.JobAsync(id)).ShouldBe("cancelled");
    }

    private async Task A_worker_finishes_what_it_runs_when_it_is_told_to_end(string engine, Func<EngineProcess> start, byte[] picture)
    {
        var worker = await JoinAsync(start());
        var running = await SubmitAsync(engine, picture, pause: 8);
        await RunningAsync(running);
        var waiting = await SubmitAsync(engine, picture, pause: 1);

        (await worker.EndAsync(Processes.Terminate)).ShouldBe(0, worker.Log);

        SpotterApi.StateOf(await api.JobAsync(running)).ShouldBe("succeeded", worker.Log);
        var left = await api.JobAsync(waiting);
        (SpotterApi.StateOf(left), left.GetProperty("attempts").GetInt32()).ShouldBe(("queued", 0), left.GetRawText());
        (await api.GetAsync("/v1/engines")).Json.GetProperty("engines").EnumerateArray().Single(e => e.GetProperty("name").GetString() == engine).GetProperty("workers").GetArrayLength().ShouldBe(0);
    }

    private Task<SpotterProcess> StartAsync(int port = 0) => SpotterProcess.StartAsync(folder.File("data"), model: null, environment: Surroundings, port: port, command: "gateway");

    private async Task<EngineProcess> JoinAsync(EngineProcess engine)
    {
        engines.Add(engine);
        await engine.JoinedAsync();
        return engine;
    }

    private async Task<string> SubmitAsync(string engine, byte[] picture, int pause)
    {
        var answer = await api.SubmitAsync([Part.Field("engine", engine), Part.Field("pause", pause.ToString(System.Globalization.CultureInfo.InvariantCulture)), Part.Image(picture)]);
        answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
        return SpotterApi.IdOf(answer.Json);
    }

    private async Task<JsonElement> RunAsync(string engine, byte[] picture, params Part[] fields)
    {
        var answer = await api.SubmitAsync([Part.Field("engine", engine), .. fields, Part.Image(picture, "a.gif", "image/gif")], waitSeconds: 60);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    /// <summary>Until the engine has begun it: what a worker only holds is given back when it is told to end.</summary>
    private Task RunningAsync(string id) => Eventually.SeeAsync("it runs", () => api.JobAsync(id), job => job.GetProperty("progress").ValueKind == JsonValueKind.Number, Patience);

    /// <summary>A picture of one pixel, with a palette of four colours.</summary>
    private static byte[] Gif() =>
    [
        .. Encoding.ASCII.GetBytes("GIF89a"), 1, 0, 1, 0, 0x81, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255,
        0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
    ];
}
