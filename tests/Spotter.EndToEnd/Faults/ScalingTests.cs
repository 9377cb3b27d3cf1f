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
        var reasons = (await api.GetAsync("/v1/scaling/decisions")).Json.GetProperty("decisions").EnumerateArray()
            .Select(entry => entry.GetProperty("decision").GetProperty("reason").GetString()!).ToList();
        reasons.ShouldContain(reason => reason.Contains("grow 0 -> 1", StringComparison.Ordinal));
        reasons.ShouldContain(reason => reason.Contains("shrink", StringComparison.Ordinal));
        service.Log.ShouldNotContain("ended with status");

        // And from none again.
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(210))).ShouldBe("succeeded");
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
