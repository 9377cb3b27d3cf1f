using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Spotter.EndToEnd.Faults;

/// <summary>The number of workers follows the backlog, from none and back.</summary>
public sealed class ScalingTests
{
    [Fact]
    public async Task From_none_to_the_most_and_back_to_none()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 30), ["--max-workers", "2", "--lanes", "1", "--linger", "1"]);
        using var api = new SpotterApi(service.Address);
        service.Workers().ShouldBeEmpty();
        (await api.StatsAsync()).GetProperty("workers").GetInt32().ShouldBe(0);

        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200))).ShouldBe("succeeded");
        service.Workers().ShouldHaveSingleItem();

        await api.SubmitAsync(Enumerable.Range(0, 40).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))));
        await Eventually.BeAsync("two workers work", () => service.Workers().Count == 2);
        await Eventually.SeeAsync("all is done", api.StatsAsync, stats =>
        {
            service.Workers().Count.ShouldBeLessThanOrEqualTo(2);
            return stats.GetProperty("succeeded").GetInt64() == 41;
        });

        await Eventually.BeAsync("nobody is left", () => service.Workers().Count == 0);
        var decisions = await DecisionsAsync(api);
        decisions.ShouldContain(d => d.Launch == 1 && d.Reason.Contains("0 -> 1", StringComparison.Ordinal));
        decisions.ShouldContain(d => d.Drained > 0 && d.Reason.Contains("-> 0", StringComparison.Ordinal));
        service.Log.ShouldNotContain("ended with status");

        // And from none again.
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(210))).ShouldBe("succeeded");
    }

    [Fact]
    public async Task Each_pool_starts_workers_for_its_own_models_and_within_its_own_limit()
    {
        using var folder = new TemporaryFolder();
        var small = PatchModel.Write(folder.File("small.onnx"), work: 30);
        var large = PatchModel.Write(folder.File("large.onnx"), work: 30);
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), small, ["--model", large, "--lanes", "1", "--pool", "one:models=small;max=1", "--pool", "two:models=large;max=2"]);
        using var api = new SpotterApi(service.Address);

        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(100), Part.Field("model", "small"))).ShouldBe("succeeded");
        PoolsOf(service).ShouldBe(["one"]);
        await api.SubmitAsync([.. Enumerable.Range(0, 30).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))), Part.Field("model", "large")]);
        await Eventually.BeAsync("the other pool has its two workers", () => PoolsOf(service).Count(p => p == "two") == 2);
        await Eventually.SeeAsync("all is done", api.StatsAsync, stats =>
        {
            PoolsOf(service).Count(p => p == "one").ShouldBeLessThanOrEqualTo(1);
            PoolsOf(service).Count(p => p == "two").ShouldBeLessThanOrEqualTo(2);
            return stats.GetProperty("succeeded").GetInt64() == 31;
        });

        var stats = await api.StatsAsync();
        stats.GetProperty("maxWorkers").GetInt32().ShouldBe(3);
        stats.GetProperty("pools").EnumerateArray().Select(p => (p.GetProperty("name").GetString(), p.GetProperty("maxWorkers").GetInt32()))
            .ShouldBe([("one", 1), ("two", 2)]);
        (await api.GetAsync("/v1/scaling/decisions?limit=1000")).Json.GetProperty("decisions").EnumerateArray()
            .Select(d => d.GetProperty("decision").GetProperty("pool").GetString()).Distinct(StringComparer.Ordinal).ShouldBe(["one", "two"], ignoreOrder: true);
    }

    /// <summary>The pool of each worker process, which its name begins with.</summary>
    private static List<string> PoolsOf(SpotterProcess service) =>
        [.. service.Workers().Select(Processes.ArgumentsOf).Select(a => a.SkipWhile(argument => argument != "--name").Skip(1).FirstOrDefault() ?? "").Select(name => name.Split('-')[0])];

    [Fact]
    public async Task A_trickle_starts_a_worker_once_and_keeps_it()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "3", "--lanes", "1", "--linger", "300"]);
        using var api = new SpotterApi(service.Address);

        for (var i = 0; i < 12; i++)
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png((byte)(100 + i)))).ShouldBe("succeeded");

        var decisions = await DecisionsAsync(api);
        decisions.Sum(d => d.Launch).ShouldBe(1);
        decisions.Sum(d => d.Drained).ShouldBe(0);
    }

    [Fact]
    public async Task Workers_that_come_and_go_all_the_time_lose_nothing_and_run_nothing_twice()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx"), work: 5), ["--max-workers", "2", "--lanes", "1", "--linger", "0"]);
        using var api = new SpotterApi(service.Address);

        for (var round = 0; round < 5; round++)
        {
            // The next jobs come while the workers of the last ones are let go.
            await api.SubmitAsync(Enumerable.Range(0, 6).Select(i => Part.Image(Pictures.Png((byte)(100 + i)))));
            await Eventually.SeeAsync("all is done", api.StatsAsync, stats => stats.GetProperty("succeeded").GetInt64() == 6 * (round + 1));
            if (round % 2 == 0)
                await Eventually.BeAsync("nobody is left", () => service.Workers().Count == 0);
        }

        var jobs = await api.ListAsync();
        jobs.Count.ShouldBe(30);
        jobs.ShouldAllBe(job => SpotterApi.StateOf(job) == "succeeded" && job.GetProperty("attempts").GetInt32() == 1);
        (await DecisionsAsync(api)).Sum(d => d.Drained).ShouldBeGreaterThanOrEqualTo(3);
        service.Log.ShouldNotContain("ended with status");
    }

    [Fact]
    public async Task Decisions_and_arrivals_outlive_a_crash_and_what_was_learned_an_orderly_end()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        string[] arguments = ["--max-workers", "1", "--lanes", "1"];
        var orphans = new List<int>();
        await using (var first = await SpotterProcess.StartAsync(folder.File("data"), model, arguments))
        {
            using var api = new SpotterApi(first.Address);
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200))).ShouldBe("succeeded");
            // Reading them writes them.
            (await ArrivedAsync(api)).ShouldBe(1);
            orphans.AddRange(first.Workers());
            await first.KillAsync();
        }

        await using var second = await SpotterProcess.StartAsync(folder.File("data"), model, arguments);
        using var again = new SpotterApi(second.Address);
        (await DecisionsAsync(again)).ShouldContain(d => d.Launch == 1, "decided before the crash");
        (await ArrivedAsync(again)).ShouldBe(1);
        await Eventually.BeAsync("the workers of before are gone", () => orphans.All(id => !Processes.ArgumentsOf(id).Contains("worker", StringComparer.Ordinal)));

        SpotterApi.StateOf(await again.RunAsync(Pictures.Png(201))).ShouldBe("succeeded");
        (await ArrivedAsync(again)).ShouldBe(2);
        (await second.TerminateAsync()).ShouldBe(0);
        File.Exists(folder.File("data/scaling/learned-spotter.json")).ShouldBeTrue();
        var measured = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("data/scaling/measured.json"))).RootElement;
        measured.GetProperty("bootSeconds").GetDouble().ShouldBeGreaterThan(0);
        measured.GetProperty("serviceSeconds").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_day_can_be_played_again_with_another_preset()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "2", "--lanes", "1", "--price", "3.6"]);
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200))).ShouldBe("succeeded");
        var day = (await api.GetAsync("/v1/scaling/days")).Json.GetProperty("days")[0].GetString();

        var answer = await api.GetAsync($"/v1/scaling/what-if?day={day}&preset=fast&maxWorkers=7");

        var (terms, asSet, whatIf) = (answer.Json.GetProperty("terms"), answer.Json.GetProperty("asSet"), answer.Json.GetProperty("whatIf"));
        (asSet.GetProperty("preset").GetString(), asSet.GetProperty("maxWorkers").GetInt32()).ShouldBe(("balanced", 2));
        (whatIf.GetProperty("preset").GetString(), whatIf.GetProperty("maxWorkers").GetInt32()).ShouldBe(("fast", 7));
        terms.GetProperty("policy").GetString().ShouldBe("spotter");
        asSet.GetProperty("jobs").GetInt32().ShouldBeGreaterThanOrEqualTo(1);
        asSet.GetProperty("cost").GetDouble().ShouldBe(3.6 * asSet.GetProperty("workerHours").GetDouble(), 1e-9);
        (await api.GetAsync($"/v1/scaling/what-if?day={day}&preset=cheap")).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task A_worker_that_was_told_to_drain_stays_when_its_gateway_wants_it_after_all()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var token = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = new('t', 40) };
        await using var gateway = await SpotterProcess.StartAsync(folder.File("data"), model, environment: token, command: "gateway");
        using var api = new SpotterApi(gateway.Address);
        using var worker = Process.Start(SpotterProgram.StartInfo(
            ["worker", "--server", gateway.Address.ToString(), "--child", "--name", "kept", "--lanes", "1", "--model", model], token))!;
        try
        {
            worker.OutputDataReceived += (_, _) => { };
            worker.ErrorDataReceived += (_, _) => { };
            worker.BeginOutputReadLine();
            worker.BeginErrorReadLine();
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200))).ShouldBe("succeeded");

            // The gateway has not asked for it, so when the worker asks to leave it is kept.
            await worker.StandardInput.WriteLineAsync("drain 1");
            await worker.StandardInput.FlushAsync();
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(201))).ShouldBe("succeeded");
            worker.HasExited.ShouldBeFalse();

            await worker.StandardInput.WriteLineAsync("drain");
            await worker.StandardInput.FlushAsync();
            await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            worker.ExitCode.ShouldBe(0);
        }
        finally
        {
            if (!worker.HasExited)
                worker.Kill();
        }
    }

    [Fact]
    public async Task A_gateway_that_starts_no_workers_says_that_others_scale()
    {
        using var folder = new TemporaryFolder();
        var token = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = new('t', 40) };
        await using var gateway = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), environment: token, command: "gateway");
        using var api = new SpotterApi(gateway.Address);

        var answer = await api.GetAsync("/v1/scaling/what-if?day=2026-01-01");

        answer.ShouldBeProblem(404, "not_found");
        answer.Json.GetProperty("detail").GetString()!.ShouldContain("started elsewhere");
    }

    private static async Task<List<(int Launch, int Drained, string Reason)>> DecisionsAsync(SpotterApi api) =>
        [.. (await api.GetAsync("/v1/scaling/decisions?limit=1000")).Json.GetProperty("decisions").EnumerateArray()
            .Select(entry => entry.GetProperty("decision"))
            .Select(d => (d.GetProperty("launch").GetInt32(), d.GetProperty("drain").GetArrayLength(), d.GetProperty("reason").GetString()!))];

    /// <summary>The jobs of all recorded days: a test may run over midnight.</summary>
    private static async Task<int> ArrivedAsync(SpotterApi api)
    {
        var arrived = 0;
        foreach (var day in (await api.GetAsync("/v1/scaling/days")).Json.GetProperty("days").EnumerateArray())
        {
            var csv = (await api.GetAsync($"/v1/scaling/trace?day={day.GetString()}")).Text;
            arrived += csv.TrimEnd().Split('\n').Skip(1).Sum(line => int.Parse(line.Split(',')[1], CultureInfo.InvariantCulture));
        }
        return arrived;
    }

    [Fact]
    public async Task A_worker_that_dies_is_replaced()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "1", "--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);
        var first = (await Eventually.SeeAsync("a worker", () => Task.FromResult(service.Workers()), workers => workers.Count == 1))[0];

        Processes.Signal(first, Processes.Kill);

        await Eventually.BeAsync("another worker", () => service.Workers() is [var second] && second != first);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200))).ShouldBe("succeeded");
    }
}
