using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Spotter.EndToEnd.Faults;

/// <summary>Model files that change under a service that is at work.</summary>
public sealed class HotReloadTests : IAsyncLifetime
{
    // Looks come every other second and have to agree twice; a loaded machine may take its time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Dictionary<string, string> FastBeats = new(StringComparer.Ordinal) { ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "0.5" };

    private readonly TemporaryFolder folder = new();
    private SpotterProcess service = null!;
    private SpotterApi api = null!;

    private string Model => folder.File("data/models/patches.onnx");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(folder.File("data/models"));
        PatchModel.Write(Model, oblong: 0.6f);
        service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--max-workers", "1", "--lanes", "2"], FastBeats);
        api = new SpotterApi(service.Address);
    }

    public async Task DisposeAsync()
    {
        api.Dispose();
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_new_version_takes_over_under_load_and_no_job_is_lost()
    {
        var results = new ConcurrentQueue<(int Number, double Oblong)>();
        using var stop = new CancellationTokenSource();
        var sent = 0;
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var number = Interlocked.Increment(ref sent);
                results.Enqueue((number, SeveralOblong(await api.RunAsync(Pictures.Png(5)))));
            }
        })).ToList();
        await Eventually.BeAsync("there is load", () => results.Count > 20, Patience);
        var before = (await ModelAsync()).GetProperty("version").GetString();

        PatchModel.Write(folder.File("next.onnx"), oblong: 0.7f);
        File.Move(folder.File("next.onnx"), Model, overwrite: true);
        var now = await Eventually.SeeAsync(
            "the worker has the new version", ModelAsync,
            m => m.GetProperty("version").GetString() != before && m.GetProperty("state").GetString() == "ready"
                && m.GetProperty("loadedBy").EnumerateArray().All(p => p.GetProperty("version").GetString() == m.GetProperty("version").GetString()),
            Patience);
        // What is accepted from here on must run on the new version: the worker has said that it has switched.
        var after = Volatile.Read(ref sent);
        now.GetProperty("loadedBy").GetArrayLength().ShouldBe(1);
        await Eventually.BeAsync("there is load on the new version", () => results.Count(r => r.Number > after) > 20, Patience);
        await stop.CancelAsync();
        await Task.WhenAll(load);

        results.Count.ShouldBe(sent, "every picture got its answer");
        results.ShouldAllBe(r => Math.Abs(r.Oblong - 0.6) < 0.001 || Math.Abs(r.Oblong - 0.7) < 0.001);
        results.Where(r => r.Number > after).ShouldAllBe(r => Math.Abs(r.Oblong - 0.7) < 0.001);
        var stats = await api.StatsAsync();
        (stats.GetProperty("failed").GetInt64(), stats.GetProperty("dead").GetInt64(), stats.GetProperty("succeeded").GetInt64()).ShouldBe((0, 0, sent));
        foreach (var job in await api.ListAsync("&state=succeeded", limit: 500))
            job.GetProperty("attempts").GetInt32().ShouldBe(1);
        service.Workers().Count.ShouldBe(1, "the same worker all the while");
    }

    [Fact]
    public async Task A_half_written_file_leaves_the_good_version_in_place()
    {
        SeveralOblong(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.6, 0.001);
        var whole = await File.ReadAllBytesAsync(PatchModel.Write(folder.File("next.onnx"), oblong: 0.7f));
        await using (var writing = new FileStream(Model, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            await writing.WriteAsync(whole.AsMemory(0, whole.Length / 2));
            await writing.FlushAsync();
            var kept = await Eventually.SeeAsync(
                "the half file is refused", ModelAsync, m => m.GetProperty("error").ValueKind == JsonValueKind.Object, Patience);
            kept.GetProperty("state").GetString().ShouldBe("ready");
            kept.GetProperty("error").GetProperty("code").GetString().ShouldBe("model_invalid");
            // The log comes by another way than the answer.
            await Eventually.BeAsync("the log says so", () => service.Log.Contains("goes on serving", StringComparison.Ordinal), Patience);
            SeveralOblong(await api.RunAsync(Pictures.Png(6))).ShouldBe(0.6, 0.001);
            await writing.WriteAsync(whole.AsMemory(whole.Length / 2));
        }
        await Eventually.SeeAsync(
            "the whole file is taken", ModelAsync,
            m => m.GetProperty("error").ValueKind == JsonValueKind.Null && m.GetProperty("loadedBy").EnumerateArray()
                .All(p => p.GetProperty("version").GetString() == m.GetProperty("version").GetString() && p.GetProperty("error").ValueKind == JsonValueKind.Null),
            Patience);

        SeveralOblong(await api.RunAsync(Pictures.Png(7))).ShouldBe(0.7, 0.001);
    }

    [Fact]
    public async Task Jobs_wait_for_a_file_that_nobody_can_load_any_more_and_start_no_workers()
    {
        var whole = await File.ReadAllBytesAsync(Model);
        await File.WriteAllBytesAsync(Model, whole[..(whole.Length / 2)]);
        await Eventually.SeeAsync("the half file is refused", ModelAsync, m => m.GetProperty("error").ValueKind == JsonValueKind.Object, Patience);
        service.Workers().ShouldBeEmpty();

        var id = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(5))).Json);

        (await api.JobAsync(id)).GetProperty("waitsFor").GetString()!.ShouldContain("The file of the model 'patches' can't be loaded");
        var stats = await Eventually.SeeAsync("the job is seen", api.StatsAsync, s => s.GetProperty("unserved").GetInt64() == 1, Patience);
        (stats.GetProperty("desiredWorkers").GetInt64(), stats.GetProperty("workers").GetInt64()).ShouldBe((0, 0));

        await File.WriteAllBytesAsync(Model, whole);
        SeveralOblong(await api.EndOfAsync(id, Patience)).ShouldBe(0.6, 0.001);
    }

    [Fact]
    public async Task Jobs_wait_for_a_model_that_was_deleted_until_it_is_back()
    {
        PatchModel.Write(folder.File("data/models/slow.onnx"), work: 60);
        await Eventually.SeeAsync("the second model is there", ModelsAsync, models => models.Count == 2, Patience);
        var answer = await api.SubmitAsync([Part.Field("model", "slow"), .. Enumerable.Range(0, 60).Select(i => Part.Image(Pictures.Png((byte)i)))]);
        answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
        var ids = answer.Json.GetProperty("jobs").EnumerateArray().Select(SpotterApi.IdOf).ToList();

        File.Move(folder.File("data/models/slow.onnx"), folder.File("away.onnx"));
        await Eventually.SeeAsync("the model is gone", ModelsAsync, models => models.Count == 1, Patience);
        (await api.SubmitAsync([Part.Field("model", "slow"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(422, "unknown_model");
        var stats = await Eventually.SeeAsync(
            "what waits is known to wait in vain", api.StatsAsync,
            s => s.GetProperty("running").GetInt64() == 0 && s.GetProperty("unserved").GetInt64() == s.GetProperty("queued").GetInt64(), Patience);
        if (stats.GetProperty("unserved").GetInt64() > 0)
        {
            var waiting = (await api.ListAsync("&state=queued"))[0];
            waiting.GetProperty("waitsFor").GetString()!.ShouldContain("slow");
            waiting.GetProperty("attempts").GetInt32().ShouldBe(0);
        }
        SeveralOblong(await api.RunAsync(Pictures.Png(5))).ShouldBe(0.6, 0.001);

        File.Move(folder.File("away.onnx"), folder.File("data/models/slow.onnx"));
        foreach (var id in ids)
            SpotterApi.StateOf(await api.EndOfAsync(id, Patience)).ShouldBe("succeeded", id);
    }

    [Fact]
    public async Task A_worker_elsewhere_sees_to_its_own_files()
    {
        const string Token = "0123456789abcdef0123456789abcdef";
        var environment = new Dictionary<string, string>(FastBeats, StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = Token };
        Directory.CreateDirectory(folder.File("gateway/models"));
        File.Copy(Model, folder.File("gateway/models/patches.onnx"));
        await using var gateway = await SpotterProcess.StartAsync(folder.File("gateway"), model: null, environment: environment, command: "gateway");
        using var client = new SpotterApi(gateway.Address);
        var early = SpotterApi.IdOf((await client.SubmitAsync(Pictures.Png(5))).Json);
        (await client.JobAsync(early)).GetProperty("waitsFor").GetString().ShouldBe("No worker has the model 'patches' now; the job waits until one joins that has, or until it is cancelled.");
        (await client.StatsAsync()).GetProperty("unserved").GetInt64().ShouldBe(1);

        Directory.CreateDirectory(folder.File("elsewhere/models"));
        PatchModel.Write(folder.File("elsewhere/models/other.onnx"));
        await using var worker = SpotterProcess.StartWorker(gateway.Address, folder.File("elsewhere"), environment);
        var waiting = await Eventually.SeeAsync(
            "the job waits for another worker", () => client.JobAsync(early), job => job.GetProperty("waitsFor").ValueKind == JsonValueKind.String, Patience);
        waiting.GetProperty("waitsFor").GetString()!.ShouldContain("patches");

        File.Copy(Model, folder.File("elsewhere/models/patches.onnx"));
        SeveralOblong(await client.EndOfAsync(early, Patience)).ShouldBe(0.6, 0.001);
    }

    [Fact]
    public async Task A_gateway_takes_models_from_its_workers_and_knows_them_after_a_start()
    {
        const string Token = "0123456789abcdef0123456789abcdef";
        var environment = new Dictionary<string, string>(FastBeats, StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = Token, ["SPOTTER_STARTER"] = "" };
        Directory.CreateDirectory(folder.File("elsewhere/models"));
        PatchModel.Write(folder.File("elsewhere/models/plates.onnx"));
        int port;
        await using (var gateway = await SpotterProcess.StartAsync(folder.File("gateway"), model: null, environment: environment, command: "gateway"))
        {
            port = gateway.Address.Port;
            using var client = new SpotterApi(gateway.Address);
            await using (var worker = SpotterProcess.StartWorker(gateway.Address, folder.File("elsewhere"), environment))
            {
                // The gateway has a file of its own, that nobody runs: pictures go to the model that somebody has.
                var models = await Eventually.SeeAsync("the worker brings its model", async () => (await client.GetAsync("/v1/models")).Json, now => now.GetProperty("default").GetString() == "plates", Patience);
                var plates = models.GetProperty("models").EnumerateArray().First();
                (plates.GetProperty("id").GetString(), plates.GetProperty("engine").GetString(), plates.GetProperty("state").GetString()).ShouldBe(("plates", "detect", "ready"));
                plates.GetProperty("labels").EnumerateArray().Select(l => l.GetString()).ShouldBe(["square", "oblong"]);
                plates.GetProperty("version").GetString()!.Length.ShouldBe(12);
                var job = await client.RunAsync(Pictures.Png(5));
                (SpotterApi.StateOf(job), job.GetProperty("model").GetString()).ShouldBe(("succeeded", "plates"));
                (await worker.TerminateAsync()).ShouldBe(0);
            }
            var waiting = (await client.SubmitAsync(Pictures.Png(6))).Json;
            (waiting.GetProperty("model").GetString(), waiting.GetProperty("waitsFor").GetString()).ShouldBe(("plates", "No worker has the model 'plates' now; the job waits until one joins that has, or until it is cancelled."));
            await gateway.TerminateAsync();
        }

        await using var again = await SpotterProcess.StartAsync(folder.File("gateway"), model: null, environment: environment, command: "gateway", port: port);
        using var later = new SpotterApi(again.Address);
        var next = (await later.SubmitAsync(Pictures.Png(7))).Json;
        next.GetProperty("model").GetString().ShouldBe("plates", "it is known before a worker has joined again");
        await using var back = SpotterProcess.StartWorker(again.Address, folder.File("elsewhere"), environment);
        SpotterApi.StateOf(await later.EndOfAsync(SpotterApi.IdOf(next), Patience)).ShouldBe("succeeded");
    }

    private static double SeveralOblong(JsonElement job) => Api.SeveralModelsTests.OblongOf(job);

    private async Task<IReadOnlyList<JsonElement>> ModelsAsync() => [.. (await api.GetAsync("/v1/models")).Json.GetProperty("models").EnumerateArray()];

    private async Task<JsonElement> ModelAsync() => (await ModelsAsync()).Single(m => m.GetProperty("id").GetString() == "patches");
}
