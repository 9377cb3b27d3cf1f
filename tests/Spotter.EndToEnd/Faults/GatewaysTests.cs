using System.Net;
using System.Text.Json;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Faults;

/// <summary>Two gateways on one PostgreSQL server, a worker at each, and a server that crashes.</summary>
public sealed class GatewaysTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly Dictionary<string, string> Surroundings = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "4",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<SpotterProcess> processes = [];
    private PostgresCluster? cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var process in processes)
        {
            output.WriteLine(process.Log);
            await process.DisposeAsync();
        }
        cluster?.Dispose();
        folder.Dispose();
    }

    [PostgresFact]
    public async Task What_one_gateway_accepts_another_answers_and_a_crash_of_the_server_loses_nothing()
    {
        cluster = PostgresCluster.Start();
        // Both bring the schema up to date at the same time.
        var gateways = await Task.WhenAll(StartGatewayAsync("first"), StartGatewayAsync("second"));
        using var first = new SpotterApi(gateways[0].Address);
        using var second = new SpotterApi(gateways[1].Address);
        StartWorker(gateways[0]);
        StartWorker(gateways[1]);

        // Each waits at the gateway that did not take the picture in.
        var early = SpotterApi.IdOf((await first.SubmitAsync(Pictures.Png(90))).Json);
        SpotterApi.StateOf(await second.EndOfAsync(early, Patience)).ShouldBe("succeeded");

        var accepted = new Dictionary<string, byte>(StringComparer.Ordinal) { [early] = 90 };
        for (var i = 0; i < 60; i++)
        {
            if (i == 30)
                cluster.Crash();
            var shade = (byte)(100 + i);
            accepted[await AcceptAsync(i % 2 == 0 ? first : second, $"key-{i}", shade)] = shade;
        }

        accepted.Count.ShouldBe(61);
        foreach (var (id, shade) in accepted)
        {
            var job = await second.EndOfAsync(id, Patience);
            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
            var square = job.GetProperty("result").GetProperty("detections").EnumerateArray().Single(d => d.GetProperty("label").GetString() == "square");
            square.GetProperty("confidence").GetDouble().ShouldBe(shade / 255.0, 0.003, "it got the result of another picture");
            (await first.JobAsync(id)).GetProperty("result").GetRawText().ShouldBe(job.GetProperty("result").GetRawText());
        }
        foreach (var api in (SpotterApi[])[first, second])
        {
            var stats = await api.StatsAsync();
            (stats.GetProperty("succeeded").GetInt64(), stats.GetProperty("queued").GetInt64(), stats.GetProperty("running").GetInt64()).ShouldBe((61, 0, 0));
            (await api.ListAsync()).Select(SpotterApi.IdOf).ShouldBe(accepted.Keys, ignoreOrder: true);
        }
        foreach (var gateway in gateways)
            gateway.Log.ShouldNotContain(PostgresCluster.Secret);
    }

    [PostgresFact]
    public async Task A_gateway_that_begins_again_leaves_the_leases_of_others_alone_and_takes_back_its_own()
    {
        cluster = PostgresCluster.Start();
        // Leases that outlive the test: whatever runs again does so because somebody took its lease.
        var patient = new Dictionary<string, string>(Surroundings, StringComparer.Ordinal) { ["SPOTTER__LEASE__DURATIONSECONDS"] = "600" };
        // A model for each, so that neither's worker takes what is the other's; and time enough to be stopped in the middle.
        var mineOnly = PatchModel.Write(folder.File("mine.onnx"), work: 200);
        var theirsOnly = PatchModel.Write(folder.File("theirs.onnx"), work: 200);
        string[] oneWorker = ["--min-workers", "1", "--max-workers", "1", "--lanes", "1"];
        var first = await StartGatewayAsync("first", patient, "serve", oneWorker, mineOnly);
        var (mine, worker) = await GiveToFrozenWorkerAsync(first, 100);
        var second = await StartGatewayAsync("second", patient, "serve", oneWorker, theirsOnly);
        var (theirs, _) = await GiveToFrozenWorkerAsync(second, 101);

        Processes.Signal(first.Id, Processes.Kill);
        // One that is stopped can't see that its gateway is gone.
        Processes.Signal(worker, Processes.Kill);
        await first.ExitAsync();
        processes.Remove(first);
        await first.DisposeAsync();
        var again = await StartGatewayAsync("first", patient, "serve", oneWorker, mineOnly);

        using var after = new SpotterApi(again.Address);
        var released = await Eventually.SeeAsync("its own job runs again", () => after.JobAsync(mine), job => HistoryOf(job).Length > 0, Patience);
        HistoryOf(released)[0].GetProperty("kind").GetString().ShouldBe("lost");
        var untouched = await after.JobAsync(theirs);
        (SpotterApi.StateOf(untouched), HistoryOf(untouched).Length).ShouldBe(("running", 0));
        SpotterApi.StateOf(await after.EndOfAsync(mine, Patience)).ShouldBe("succeeded");
    }

    [PostgresFact]
    public async Task Of_two_gateways_with_the_same_models_one_starts_workers_and_the_other_takes_over_when_it_dies()
    {
        cluster = PostgresCluster.Start();
        string[] twoWorkers = ["--min-workers", "2", "--max-workers", "2", "--lanes", "1"];
        var first = await StartGatewayAsync("first", command: "serve", options: twoWorkers);
        await Eventually.BeAsync("the first starts its workers", () => first.Workers().Count == 2);
        var second = await StartGatewayAsync("second", command: "serve", options: twoWorkers);
        using var api = new SpotterApi(second.Address);

        // What one takes in, the workers of the other do.
        foreach (var shade in (byte[])[100, 101, 102, 103])
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(shade))).ShouldBe("succeeded");
        second.Workers().ShouldBeEmpty();
        var decisions = (await api.GetAsync("/v1/scaling/decisions")).Json.GetProperty("decisions");
        decisions[0].GetProperty("decision").GetProperty("reason").GetString().ShouldNotBeNull().ShouldContain("stands by");

        Processes.Signal(first.Id, Processes.Kill);

        await Eventually.BeAsync("the second starts workers", () => second.Workers().Count == 2, TimeSpan.FromSeconds(40));
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(110))).ShouldBe("succeeded");
    }

    [PostgresFact]
    public async Task An_outage_that_is_longer_than_a_lease_costs_no_attempt()
    {
        cluster = PostgresCluster.Start();
        var gateway = await StartGatewayAsync("first", command: "serve", options: ["--min-workers", "1", "--max-workers", "1", "--lanes", "1"], model: PatchModel.Write(folder.File("slow.onnx"), work: 60));
        using var api = new SpotterApi(gateway.Address);
        var ids = new List<string>();
        for (byte i = 0; i < 20; i++)
            ids.Add(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png((byte)(100 + i)))).Json));
        await Eventually.SeeAsync("the first runs", () => api.JobAsync(ids[0]), job => SpotterApi.StateOf(job) != "queued", Patience);

        cluster.Stop("immediate");
        // Leases last four seconds here.
        await Task.Delay(TimeSpan.FromSeconds(9), TimeProvider.System);
        cluster.StartAgain();

        foreach (var id in ids)
        {
            var job = await Eventually.SeeAsync("the server answers again", () => TryAsync(() => api.EndOfAsync(id, Patience)), found => found.ValueKind == JsonValueKind.Object, Patience);
            // One that was on its way to the worker just then may have been given back, which costs nothing either.
            (SpotterApi.StateOf(job), job.GetProperty("attempts").GetInt32()).ShouldBe(("succeeded", 1), job.GetRawText());
        }
    }

    /// <summary>Undefined while the answer is that there is none.</summary>
    private static async Task<JsonElement> TryAsync(Func<Task<JsonElement>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception refused) when (refused is not TimeoutException)
        {
            return default;
        }
    }

    [PostgresFact]
    public async Task A_gateway_takes_jobs_for_the_models_of_another_and_says_when_nobody_has_them()
    {
        cluster = PostgresCluster.Start();
        var environment = new Dictionary<string, string>(Surroundings, StringComparer.Ordinal) { ["SPOTTER_STARTER"] = "" };
        var served = await StartGatewayAsync("served", environment, "serve", ["--max-workers", "1"], PatchModel.Write(folder.File("plates.onnx")));
        var door = await StartGatewayAsync("door", environment, model: "");
        using var api = new SpotterApi(door.Address);

        // No worker has been started yet, nor would one be at this gateway.
        var models = await Eventually.SeeAsync(
            "it hears of the model", async () => (await api.GetAsync("/v1/models")).Json, now => now.GetProperty("default").ValueKind == JsonValueKind.String);
        var plates = models.GetProperty("models").EnumerateArray().Single();
        (plates.GetProperty("id").GetString(), plates.GetProperty("state").GetString()).ShouldBe(("plates", "ready"));
        var job = await api.RunAsync(Pictures.Png(90));
        (SpotterApi.StateOf(job), job.GetProperty("model").GetString()).ShouldBe(("succeeded", "plates"));
        (await api.StatsAsync()).GetProperty("unserved").GetInt64().ShouldBe(0);

        (await served.TerminateAsync()).ShouldBe(0);

        var waiting = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(91))).Json);
        var reason = await Eventually.SeeAsync(
            "it says that nobody has the model", () => api.JobAsync(waiting), now => now.GetProperty("waitsFor").ValueKind == JsonValueKind.String);
        reason.GetProperty("waitsFor").GetString().ShouldBe("No worker has the model 'plates' now; the job waits until one joins that has, or until it is cancelled.");
        (await api.StatsAsync()).GetProperty("unserved").GetInt64().ShouldBe(1);
        await Eventually.BeAsync("it is logged", () => door.Log.Contains("1 jobs of the queue detect/plates wait and nobody takes them", StringComparison.Ordinal));

        await StartGatewayAsync("served", environment, "serve", ["--max-workers", "1"], folder.File("plates.onnx"));
        SpotterApi.StateOf(await api.EndOfAsync(waiting, Patience)).ShouldBe("succeeded");
        await Eventually.BeAsync("that is logged too", () => door.Log.Contains("No job of the queue detect/plates waits in vain any more", StringComparison.Ordinal));
    }

    /// <summary>A job that runs for as long as the test likes, and its worker, which is stopped in the middle.</summary>
    private static async Task<(string Job, int Worker)> GiveToFrozenWorkerAsync(SpotterProcess gateway, byte shade)
    {
        using var api = new SpotterApi(gateway.Address);
        while (true)
        {
            var id = SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(shade))).Json);
            await Eventually.SeeAsync("it runs", () => api.JobAsync(id), job => SpotterApi.StateOf(job) != "queued", Patience);
            var worker = gateway.Workers().ShouldHaveSingleItem();
            Processes.Signal(worker, Processes.Stop);
            if (SpotterApi.StateOf(await api.JobAsync(id)) == "running")
                return (id, worker);
            // It was faster. It gets another one.
            Processes.Signal(worker, Processes.Continue);
        }
    }

    private static JsonElement[] HistoryOf(JsonElement job) =>
        job.TryGetProperty("history", out var history) && history.ValueKind == JsonValueKind.Array ? [.. history.EnumerateArray()] : [];

    private async Task<SpotterProcess> StartGatewayAsync(
        string name, Dictionary<string, string>? surroundings = null, string command = "gateway", string[]? options = null, string? model = null)
    {
        var environment = new Dictionary<string, string>(surroundings ?? Surroundings, StringComparer.Ordinal) { ["SPOTTER__POSTGRES__URL"] = cluster!.Url };
        var gateway = await SpotterProcess.StartAsync(
            folder.File(name), model is "" ? null : model ?? Model, ["--backend", "postgres", "--blobs", $"folder:{folder.File("pictures")}", .. options ?? []], environment, command: command);
        lock (processes)
            processes.Add(gateway);
        return gateway;
    }

    private string Model
    {
        get
        {
            lock (processes)
            {
                var file = folder.File("patches.onnx");
                return File.Exists(file) ? file : PatchModel.Write(file, work: 6);
            }
        }
    }

    private void StartWorker(SpotterProcess gateway)
    {
        var data = folder.File($"worker-{processes.Count}");
        Directory.CreateDirectory(Path.Combine(data, "models"));
        File.Copy(Model, Path.Combine(data, "models", "patches.onnx"));
        processes.Add(SpotterProcess.StartWorker(gateway.Address, data, Surroundings));
    }

    /// <summary>Sends a picture until it is accepted, under a key, so that it is one job however often that takes.</summary>
    private static Task<string> AcceptAsync(SpotterApi api, string key, byte shade) =>
        Eventually.SeeAsync(
            $"{key} is accepted",
            async () =>
            {
                var answer = await api.SubmitAsync(Pictures.Png(shade), key: key);
                if (answer.Status == HttpStatusCode.ServiceUnavailable)
                    return "";
                answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
                return SpotterApi.IdOf(answer.Json);
            },
            id => id.Length > 0, Patience);
}
