namespace Spotter.Tests.Cli;

public sealed class UsageTests
{
    public static TheoryData<string[]> WrongUses { get; } = new(
        ["nonsense"],
        ["detect"],
        ["detect", "a.jpg", "--nonsense"],
        ["detect", "a.jpg", "--confidence", "1.01"],
        ["detect", "a.jpg", "--confidence", "-0.1"],
        ["detect", "a.jpg", "--confidence", "NaN"],
        ["detect", "a.jpg", "--confidence", "high"],
        ["detect", "a.jpg", "--iou", "2"],
        ["detect", "a.jpg", "--lanes", "0"],
        ["detect", "a.jpg", "--lanes", "many"],
        ["detect", "pictures/a.jpg", "--out", "pictures"],
        ["load"],
        ["load", "--images", "pictures", "--jobs", "0"],
        ["load", "--images", "pictures", "--rate", "0"],
        ["load", "--images", "pictures", "--rate", "fast"],
        ["load", "--images", "pictures", "--rate", "5", "--burst"],
        ["load", "--images", "pictures", "--url", "nowhere"],
        ["load", "--images", "pictures", "--check", "ledger.jsonl"],
        ["load", "--images", "pictures", "--priority", "urgent"],
        ["queue"],
        ["queue", "list", "--state", "waiting"],
        ["queue", "list", "--limit", "0"],
        ["queue", "redrive"],
        ["queue", "redrive", "--all", "--error", "job_timeout"],
        ["queue", "cancel"],
        ["queue", "cancel", "--engine", "detect"],
        ["queue", "cancel", "0123", "--state", "queued"],
        ["queue", "cancel", "--state", "dead"],
        ["simulate"],
        ["simulate", "--trace", "burst110", "--boot", "0"],
        ["simulate", "--trace", "burst110", "--scale", "10"],
        ["simulate", "--scale", "-1"],
        ["simulate", "--trace", "burst110", "--preset", "best"],
        ["models"],
        ["models", "compare", "model.onnx", "other.onnx"],
        ["models", "evaluate", "model.onnx"],
        ["models", "evaluate", "model.onnx", "--dataset", "set", "--at", "2"],
        ["models", "evaluate", "model.onnx", "--dataset", "set", "--max", "0"],
        ["models", "inspect"],
        ["models", "pull", "a", "b"],
        ["doctor", "--port", "65536"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["serve", "--max-workers", "many"],
        ["watch"],
        ["watch", "photos", "--every", "0"],
        ["watch", "photos", "--motion-threshold", "2"],
        ["watch", "photos", "--count", "0"],
        ["watch", "photos", "--home-assistant"],
        ["watch", "photos", "--mqtt", "broker:1883"],
        ["watch", "photos", "--mqtt", "mqtt://broker", "--mqtt-topic", "cameras/#"],
        ["worker", "--server", "http://127.0.0.1:1", "--lanes", "many"]);

    [Theory]
    [MemberData(nameof(WrongUses))]
    public async Task Wrong_usage_is_one_line_and_status_2(string[] arguments)
    {
        var ran = await SpotterProgram.RunAsync(arguments);

        ran.Status.ShouldBe(2);
        ran.Output.ShouldBeEmpty();
        ran.ErrorLines().ShouldHaveSingleItem().ShouldStartWith("spotter: ");
        ran.Errors.ShouldContain("--help");
    }

    [Theory]
    [InlineData("`spotter` has no command 'srve'; did you mean 'serve'?", "srve")]
    [InlineData("`spotter serve` has no option '--max-worker'; did you mean '--max-workers'?", "serve", "--max-worker", "3")]
    [InlineData("`spotter queue` has no command 'lsit'; did you mean 'list'?", "queue", "lsit")]
    [InlineData("`spotter` has no command 'telepathy'.", "telepathy")]
    [InlineData("`spotter options` has no argument 'more'.", "options", "more")]
    public async Task What_is_not_there_is_named_with_what_may_have_been_meant(string words, params string[] arguments) =>
        (await SpotterProgram.RunAsync(arguments)).ErrorLines().ShouldHaveSingleItem().ShouldStartWith($"spotter: {words}");

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("detect", "--help")]
    [InlineData("models", "--help")]
    [InlineData("models", "inspect", "--help")]
    [InlineData("doctor", "--help")]
    [InlineData("--version")]
    public async Task Help_and_version_go_to_standard_output(params string[] arguments)
    {
        var ran = await SpotterProgram.RunAsync(arguments);

        ran.Status.ShouldBe(0);
        ran.Output.ShouldNotBeEmpty();
        ran.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_any_model_the_error_says_how_to_give_one()
    {
        using var data = new TemporaryFolder();
        var ran = await SpotterProgram.RunWithAsync(new(StringComparer.Ordinal) { ["SPOTTER__DATA"] = data.Path }, "detect", "a.jpg", "--model", "nowhere");

        ran.Status.ShouldBe(1);
        ran.Output.ShouldBeEmpty();
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain(Path.Combine(data.Path, "models"));
    }

    [Fact]
    public async Task Doctor_names_what_is_wrong()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("a-file");
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;

        var ran = await SpotterProgram.RunAsync("doctor", "--json", "--data", Path.Combine(file, "data"), "--port", $"{port}");

        ran.Status.ShouldBe(1);
        var findings = ran.Json().ToDictionary(
            finding => finding.GetProperty("name").GetString()!, finding => finding.GetProperty("health").GetString(), StringComparer.Ordinal);
        findings[$"port {port}"].ShouldBe("wrong");
        findings["data folder"].ShouldBe("wrong");
        findings[".NET"].ShouldBe("ok");
        findings.ContainsKey("ONNX Runtime").ShouldBeTrue();
        findings.ContainsKey("libvips").ShouldBeTrue();
    }

    [Fact]
    public async Task Doctor_looks_at_what_the_settings_name()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("spotter.yaml", "port: 4711\n"u8.ToArray());

        var told = await FindingsAsync(new(StringComparer.Ordinal) { ["SPOTTER__CONFIG"] = file });
        told.ShouldContainKey("port 4711");
        told.ShouldNotContainKey("port 8080");
        told["settings"].Detail.ShouldBe(file);
        (await FindingsAsync(new(StringComparer.Ordinal) { ["SPOTTER__CONFIG"] = file, ["SPOTTER__PORT"] = "4712" })).ShouldContainKey("port 4712");
        (await FindingsAsync(new(StringComparer.Ordinal) { ["SPOTTER__CONFIG"] = file }, "--port", "4713")).ShouldContainKey("port 4713");
    }

    [Fact]
    public async Task Doctor_tells_all_that_is_wrong_with_the_settings()
    {
        var wrong = (await FindingsAsync(new(StringComparer.Ordinal) { ["SPOTTER__SCALING__MINWORKERS"] = "none" }))["settings"];

        wrong.Health.ShouldBe("wrong");
        wrong.Detail.ShouldContain("SPOTTER__SCALING__MINWORKERS takes");
    }

    [Fact]
    public async Task Doctor_reaches_for_the_job_store_and_says_why_it_cannot()
    {
        var store = (await FindingsAsync(new(StringComparer.Ordinal)
        {
            ["SPOTTER__BACKEND"] = "postgres",
            ["SPOTTER__POSTGRES__URL"] = "postgres://spotter:secret@127.0.0.1:1/jobs?sslmode=verify-full",
            ["SPOTTER__BLOBS"] = "folder:/nowhere",
        }))["job store"];

        store.Health.ShouldBe("wrong");
        store.Detail.ShouldContain("127.0.0.1:1/jobs can't be reached");
        store.Detail.ShouldContain("refused");
        store.Detail.ShouldNotContain("secret");
    }

    [Fact]
    public async Task Doctor_leaves_no_trace()
    {
        using var folder = new TemporaryFolder();
        var ran = await SpotterProgram.RunAsync("doctor", "--json", "--data", folder.Path);

        ran.Output.ShouldContain("\"data folder\"");
        ran.Output.ShouldNotContain("\"data folder\",\"health\":\"wrong\"");
        Directory.GetFileSystemEntries(folder.Path).Length.ShouldBe(0);
    }

    private static async Task<Dictionary<string, (string? Health, string Detail)>> FindingsAsync(Dictionary<string, string> environment, params string[] arguments) =>
        (await SpotterProgram.RunWithAsync(environment, ["doctor", "--json", .. arguments])).Json().ToDictionary(
            f => f.GetProperty("name").GetString()!, f => (f.GetProperty("health").GetString(), f.GetProperty("detail").GetString()!), StringComparer.Ordinal);
}
