using System.Net;

namespace Spotter.EndToEnd.Faults;

/// <summary>A model that takes long to be loaded: it is waited for and said so, and the service can be stopped meanwhile.</summary>
public sealed class SlowLoadTests
{
    [Fact]
    public async Task A_job_says_what_it_waits_for_and_is_answered_by_the_first_worker_that_was_started()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "2", "--lanes", "1"], Slow(8_000));
        using var api = new SpotterApi(service.Address);

        var answer = await api.SubmitAsync(Pictures.Png(200));
        answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
        var id = SpotterApi.IdOf(answer.Json);

        var waiting = await Eventually.SeeAsync("the job says what it waits for", () => api.JobAsync(id), job => job.GetProperty("waitsFor").GetString() is not null);
        waiting.GetProperty("waitsFor").GetString()!.ShouldContain("loads the model 'patches'");
        waiting.GetProperty("etaSeconds").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null, "nobody has seen yet how long it takes");
        var stats = await api.StatsAsync();
        (stats.GetProperty("workers").GetInt32(), stats.GetProperty("loading").GetInt32(), stats.GetProperty("unserved").GetInt64()).ShouldBe((1, 1, 0));
        (await api.GetAsync("/metrics")).Text.ShouldContain("spotter_workers{state=\"loading\"} 1\n");

        var job = await api.EndOfAsync(id, within: TimeSpan.FromSeconds(120));
        SpotterApi.StateOf(job).ShouldBe("succeeded");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
        job.GetProperty("waitsFor").GetString().ShouldBeNull();
        var decisions = (await api.GetAsync("/v1/scaling/decisions?limit=1000")).Json.GetProperty("decisions");
        decisions.EnumerateArray().Sum(d => d.GetProperty("decision").GetProperty("launch").GetInt32()).ShouldBe(1);
        service.Log.ShouldNotContain("ended with status");
    }

    [Fact]
    public async Task A_service_whose_workers_load_ends_in_order_and_at_once()
    {
        using var folder = new TemporaryFolder();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "1"], Slow(600_000));
        using var api = new SpotterApi(service.Address);
        (await api.SubmitAsync(Pictures.Png(200))).Status.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.SeeAsync("a worker loads", api.StatsAsync, stats => stats.GetProperty("loading").GetInt32() == 1);

        (await service.TerminateAsync()).ShouldBe(0);

        service.Log.ShouldNotContain("ended with status");
        service.Log.Split('\n').SkipWhile(line => !line.Contains("Exception", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static Dictionary<string, string> Slow(int milliseconds) => new(StringComparer.Ordinal) { ["SPOTTER_FAILPOINT"] = $"model-loading=delay{milliseconds}" };
}
