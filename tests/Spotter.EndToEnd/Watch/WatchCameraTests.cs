using System.Globalization;
using System.Text.Json;

namespace Spotter.EndToEnd.Watch;

/// <summary><c>spotter watch</c> on a camera that answers with pictures.</summary>
public sealed class WatchCameraTests(RunningService service) : IClassFixture<RunningService>
{
    private static readonly string[] Often = ["--every", "0.2"];

    [Theory]
    [InlineData(CameraAccess.Open)]
    [InlineData(CameraAccess.Basic)]
    [InlineData(CameraAccess.Digest)]
    internal async Task What_a_camera_sees_is_printed(CameraAccess access)
    {
        await using var camera = await HttpCamera.StartAsync(access);
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.UrlWithPassword, "--name", "Front Door", "--count", "2", .. Often]);

        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        watch.Output.Count.ShouldBe(2);
        watch.Output.ShouldAllBe(line => Shape(line));
        watch.Errors.ShouldBeEmpty();
        var job = await service.Api.JobAsync(watch.Output[0].Split("(job ")[1].TrimEnd(')'));
        job.GetProperty("name").GetString().ShouldStartWith("front_door-");
    }

    [Fact]
    public async Task Json_says_what_is_where_and_options_go_to_the_service()
    {
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(
            service.Process.Address, [camera.Url, "--json", "--labels", "square", "--confidence", "0.1", "--model", "patches", "--count", "1"]);

        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        var result = watch.Results.ShouldHaveSingleItem();
        result.GetProperty("name").GetString().ShouldBe("127.0.0.1");
        result.GetProperty("state").GetString().ShouldBe("succeeded");
        result.GetProperty("counts").GetRawText().ShouldBe("{\"square\":2}");
        result.GetProperty("objects")[0].GetProperty("box").GetProperty("x2").GetDouble().ShouldBe(PatchModel.Square[2], 0.5);
    }

    [Fact]
    public async Task Only_what_differs_is_looked_at()
    {
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.Url, "--json", "--motion", .. Often]);

        await watch.CountAsync(1);
        var asked = camera.Asked;
        await watch.SeeAsync("the camera is asked again", () => camera.Asked > asked + 3);
        watch.Results.Count.ShouldBe(1);

        camera.Shade = 20;
        await watch.SeeAsync("the dark picture", r => Count(r, "square") == 0);
        asked = camera.Asked;
        await watch.SeeAsync("the camera is asked again", () => camera.Asked > asked + 3);
        watch.Results.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_camera_that_goes_away_is_said_once_and_comes_back()
    {
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.Url, "--json", .. Often]);
        await watch.CountAsync(1);

        await camera.GoAwayAsync();
        await watch.HearAsync("can't be used");
        camera.Shade = 20;
        await camera.ComeBackAsync();
        await watch.SeeAsync("what it sees now", r => Count(r, "square") == 0);
        camera.Status = 500;
        await watch.SeeAsync("it is tried again", () => camera.Failed >= 4);
        camera.Status = 0;
        await watch.SeeAsync("that it is back", () => watch.Errors.Count >= 4);

        watch.Errors.ShouldSatisfyAllConditions(
            said => said[0].ShouldStartWith($"spotter: the camera {camera.Url.Split('?')[0]}?*** can't be used (connection refused)"),
            said => said[1].ShouldBe($"spotter: the camera {camera.Url.Split('?')[0]}?*** is back."),
            said => said[2].ShouldContain("(it answers 500)"),
            said => said[3].ShouldEndWith("is back."),
            said => said.Count.ShouldBe(4));
    }

    [Fact]
    public async Task A_wrong_password_ends_it_at_once_and_is_shown_nowhere()
    {
        await using var camera = await HttpCamera.StartAsync(CameraAccess.Digest);
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.Url.Replace("http://", "http://viewer:hunter2@", StringComparison.Ordinal)]);

        (await watch.ExitAsync()).ShouldBe(1);
        watch.Output.ShouldBeEmpty();
        watch.Errors.ShouldHaveSingleItem().ShouldContain("it asks for a user and password, or refuses these");
        watch.Errors[0].ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_password_may_come_from_a_file_or_a_variable()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("password"), HttpCamera.Password + "\n");
        await using var camera = await HttpCamera.StartAsync(CameraAccess.Basic);
        var url = camera.Url.Replace("http://", $"http://{HttpCamera.User}@", StringComparison.Ordinal);

        await using var fromFile = WatchProcess.Start(service.Process.Address, [url, "--count", "1", "--source-password-file", folder.File("password")]);
        (await fromFile.ExitAsync()).ShouldBe(0, string.Join('\n', fromFile.Errors));

        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WATCH__SOURCEPASSWORD"] = HttpCamera.Password };
        await using var fromVariable = WatchProcess.StartWith(environment, service.Process.Address, [url, "--count", "1"]);
        (await fromVariable.ExitAsync()).ShouldBe(0, string.Join('\n', fromVariable.Errors));
    }

    [Fact]
    public async Task What_the_service_refuses_is_said_in_its_words()
    {
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.Url, "--labels", "unicorn"]);

        (await watch.ExitAsync()).ShouldBe(1);
        watch.Errors.ShouldHaveSingleItem().ShouldContain("unicorn");
    }

    [Fact]
    public async Task A_signal_ends_it_within_seconds_and_is_no_failure()
    {
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.Url, .. Often]);
        await watch.CountAsync(1);

        (await watch.StopAsync(TimeSpan.FromSeconds(10))).ShouldBe(0);
        watch.Errors.ShouldBeEmpty();
    }

    internal static int Count(JsonElement result, string label) => result.GetProperty("counts").TryGetProperty(label, out var count) ? count.GetInt32() : 0;

    private static bool Shape(string line) =>
        TimeOnly.TryParseExact(line[..8], "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) && line[8..].StartsWith("  Front Door: 1 square, 1 oblong (job ", StringComparison.Ordinal);
}
