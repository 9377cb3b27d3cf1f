using System.Runtime.Versioning;

namespace Spotter.EndToEnd.Faults;

/// <summary>What other users of the machine can see of what Spotter keeps.</summary>
[SupportedOSPlatform("linux")]
public sealed class PrivacyTests
{
    private const UnixFileMode Foreign = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    [LinuxFact]
    public async Task Nothing_in_a_data_folder_that_others_may_look_into_is_theirs_to_read()
    {
        using var folder = new TemporaryFolder();
        var data = Directory.CreateDirectory(folder.File("data")).FullName;
        File.SetUnixFileMode(data, (UnixFileMode)Convert.ToInt32("755", 8));
        // An earlier version left it so.
        await File.WriteAllTextAsync(Path.Combine(data, "gateway"), "");
        File.SetUnixFileMode(Path.Combine(data, "gateway"), (UnixFileMode)Convert.ToInt32("644", 8));
        (await SpotterProgram.RunAsync("keys", "add", "somebody", "--tenant", "t", "--data", data)).Status.ShouldBe(0);
        Open(data).ShouldHaveSingleItem().ShouldStartWith("gateway ");
        File.Delete(Path.Combine(data, "keys.json"));
        await using (var service = await SpotterProcess.StartAsync(
            data, PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--callback-allow", "127.0.0.1"]))
        {
            using var api = new SpotterApi(service.Address);
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90), Part.Field("annotate", "true"))).ShouldBe("succeeded");
            service.Log.ShouldContain($"the data folder {data} can be read by other users");
            // While it runs: the database has its other files, and the worker its own.
            Open(data).ShouldBeEmpty();
            (await service.TerminateAsync()).ShouldBe(0);
        }

        Open(data).ShouldBeEmpty();
        File.GetUnixFileMode(data).HasFlag(UnixFileMode.OtherRead).ShouldBeTrue("what somebody set is left");
        Directory.Exists(Path.Combine(data, "scaling")).ShouldBeTrue();
        File.Exists(Path.Combine(data, "webhook.key")).ShouldBeTrue();
    }

    [LinuxFact]
    public async Task A_folder_for_pictures_that_a_group_shares_stays_the_groups()
    {
        using var folder = new TemporaryFolder();
        var pictures = Directory.CreateDirectory(folder.File("pictures")).FullName;
        File.SetUnixFileMode(pictures, (UnixFileMode)Convert.ToInt32("2770", 8));
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--blobs", $"folder:{pictures}"]);
        using var api = new SpotterApi(service.Address);

        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90))).ShouldBe("succeeded");

        var made = Directory.EnumerateFiles(pictures, "*", SearchOption.AllDirectories).ToList();
        made.ShouldNotBeEmpty();
        made.Select(file => File.GetUnixFileMode(file)).ShouldAllBe(mode => mode == (UnixFileMode)Convert.ToInt32("660", 8));
        Directory.EnumerateDirectories(pictures, "*", SearchOption.AllDirectories).Select(file => File.GetUnixFileMode(file) & Foreign)
            .ShouldAllBe(mode => mode == (UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute));
    }

    private static List<string> Open(string data) =>
    [
        .. Directory.EnumerateFileSystemEntries(data, "*", SearchOption.AllDirectories)
            .Where(path => Path.Exists(path) && (File.GetUnixFileMode(path) & Foreign) != UnixFileMode.None)
            .Select(path => $"{Path.GetRelativePath(data, path)} {File.GetUnixFileMode(path)}"),
    ];
}
