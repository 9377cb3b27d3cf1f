
namespace Spotter.EndToEnd.Api;

/// <summary>Settings from a file, the environment and flags, as the running service understands them.</summary>
public sealed class SettingsTests
{
    [Fact]
    public async Task A_flag_goes_before_a_variable_and_that_before_the_file()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 5);
        await File.WriteAllTextAsync(folder.File("service.yaml"), $"""
            data: {folder.File("elsewhere")}
            models: [{model}]
            scaling:
              minWorkers: 1
              maxWorkers: 2
              lanes: 1
            """);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__SCALING__MAXWORKERS"] = "3", ["SPOTTER__DATA"] = folder.File("nowhere") };

        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--config", folder.File("service.yaml")], environment);
        using var api = new SpotterApi(service.Address);

        var stats = await api.StatsAsync();
        stats.GetProperty("maxWorkers").GetInt32().ShouldBe(3);
        (Directory.Exists(folder.File("data")), Directory.Exists(folder.File("elsewhere")), Directory.Exists(folder.File("nowhere"))).ShouldBe((true, false, false));
        var models = (await api.GetAsync("/v1/models")).Json.GetProperty("models");
        models[0].GetProperty("id").GetString().ShouldBe("patches");
    }

    [Fact]
    public async Task Nothing_starts_with_a_setting_that_does_not_exist_or_is_wrong_and_all_mistakes_are_told()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("service.yaml"), "port: high\nmax_queued: 3\nscaling:\n  minWorkers: 9\n  maxWorkers: 3\n");

        var ran = await SpotterProgram.RunAsync("serve", "--data", folder.File("data"), "--config", folder.File("service.yaml"));

        ran.Status.ShouldBe(1);
        ran.Errors.ShouldContain("port (service.yaml, line 1) takes a number from 0 to 65535, not high.");
        ran.Errors.ShouldContain("max_queued (service.yaml, line 2) is no setting; perhaps maxQueued is meant; see docs/settings.md.");
        ran.Errors.ShouldContain("scaling.minWorkers (service.yaml, line 4) is 9, more than the 3 of scaling.maxWorkers (service.yaml, line 5).");
        Directory.Exists(folder.File("data")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_keys_that_are_listed_and_revoked_are_those_of_the_service()
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__KEYSFILE"] = folder.File("keys.json"), ["SPOTTER__DATA"] = folder.File("data") };
        (await SpotterProgram.RunWithAsync(environment, "keys", "add", "web", "--tenant", "shop")).Status.ShouldBe(0);

        (await SpotterProgram.RunWithAsync(environment, "keys", "list")).Output.ShouldContain("web");
        File.Exists(folder.File("keys.json")).ShouldBeTrue();
        (await SpotterProgram.RunWithAsync(environment, "keys", "revoke", "web")).Status.ShouldBe(0);
        (await SpotterProgram.RunWithAsync(environment, "keys", "list")).Output.ShouldNotContain("web");
    }
}
