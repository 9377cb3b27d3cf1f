namespace Spotter.EndToEnd.Watch;

/// <summary>What <c>spotter watch</c> does while the service is away or slow.</summary>
public sealed class WatchServiceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_service_that_is_killed_and_started_again_is_used_again()
    {
        var model = PatchModel.Write(folder.File("patches.onnx"));
        await using var camera = await HttpCamera.StartAsync();
        var port = 0;
        WatchProcess watch;
        await using (var service = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "1"]))
        {
            port = service.Address.Port;
            watch = WatchProcess.Start(service.Address, [camera.Url, "--json", "--every", "0.2"]);
            await watch.CountAsync(2);
            await service.KillAsync();
        }
        await using var ended = watch;
        await watch.HearAsync($"the service http://127.0.0.1:{port}/ can't be used");
        var asked = camera.Asked;
        await watch.SeeAsync("newer pictures replace the one that waits", () => camera.Asked > asked + 5);
        var before = watch.Output.Count;
        camera.Shade = 20;
        asked = camera.Asked;
        await watch.SeeAsync("a dark picture waits", () => camera.Asked > asked + 2);

        await using var again = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "1"], port: port);
        await watch.CountAsync(before + 3);

        watch.Errors.Count.ShouldBe(2, string.Join('\n', watch.Errors));
        watch.Errors[1].ShouldEndWith("is back.");
        // Nothing that was seen before the service went away is sent when it is back: at most what it may have had already.
        watch.Results.Skip(before + 1).ShouldAllBe(r => WatchCameraTests.Count(r, "square") == 0);
        watch.Results[^1].GetProperty("dropped").GetInt32().ShouldBeGreaterThan(3);
        watch.Results.ShouldAllBe(r => r.GetProperty("state").GetString() == "succeeded");
    }

    [Fact]
    public async Task A_slow_service_gets_the_newest_picture_and_the_others_are_counted()
    {
        // About a second each.
        var model = PatchModel.Write(folder.File("slow.onnx"), work: 150);
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model, ["--max-workers", "1", "--lanes", "1", "--no-reuse"]);
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(service.Address, [camera.Url, "--json", "--every", "0.1", "--count", "4"]);

        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        watch.Results[^1].GetProperty("dropped").GetInt32().ShouldBeGreaterThan(0);
        using var api = new SpotterApi(service.Address);
        // Never more than one at a time.
        (await api.ListAsync()).Count.ShouldBe(4);
    }
}
