using System.Diagnostics;

namespace Spotter.EndToEnd.Faults;

/// <summary>How a service ends when its terminal is closed, when it has nobody to print for, and when a worker keeps it waiting.</summary>
public sealed class StopTests : IDisposable
{
    private const int HangUp = 1;

    private static readonly Dictionary<string, string> WorkerToken = new(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef" };

    private readonly TemporaryFolder folder = new();

    private string Data => folder.File("data");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_closed_terminal_ends_it_in_order()
    {
        await using var service = await SpotterProcess.StartAsync(Data, PatchModel.Write(folder.File("patches.onnx")));

        Processes.Signal(service.Id, HangUp);

        (await service.ExitAsync()).ShouldBe(0);
        File.Exists(Path.Combine(Data, "address")).ShouldBeFalse();
    }

    [Fact]
    public async Task Under_nohup_a_closed_terminal_changes_nothing()
    {
        using var process = StartBy("trap '' HUP; exec \"$@\"");
        var address = await AddressAsync(process);

        Processes.Signal(process.Id, HangUp);
        using var client = new HttpClient { BaseAddress = address };
        (await client.GetAsync("/healthz")).EnsureSuccessStatusCode();
        Processes.IsAlive(process.Id).ShouldBeTrue();

        await EndAsync(process);
    }

    [Theory]
    [InlineData("exec \"$@\" >&-")]
    [InlineData("exec \"$@\" <&- >&- 2>&-")]
    [InlineData("exec \"$@\" >/dev/full 2>&1")]
    public async Task It_serves_though_nobody_can_read_what_it_prints(string by)
    {
        using var process = StartBy(by);
        using var client = new HttpClient { BaseAddress = await AddressAsync(process) };

        (await client.GetAsync("/healthz")).EnsureSuccessStatusCode();
        await EndAsync(process);
    }

    [Fact]
    public async Task A_stop_that_takes_long_says_for_whom_it_waits_and_how_long()
    {
        await using var service = await SpotterProcess.StartAsync(Data, PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "1", "--max-workers", "1"]);
        using var api = new SpotterApi(service.Address);
        SpotterApi.StateOf(await api.RunAsync(Pictures.Png(70))).ShouldBe("succeeded");
        var worker = service.Workers().ShouldHaveSingleItem();

        Processes.Signal(worker, Processes.Stop);
        Processes.Signal(service.Id, Processes.Terminate);
        await Eventually.BeAsync("it says why it waits", () => service.Log.Contains("Stopping: waits for w", StringComparison.Ordinal));
        service.Log.ShouldContain("58 s at most");

        Processes.Signal(worker, Processes.Continue);
        (await service.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_before_it_has_joined_ends_in_order()
    {
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var nobody = new Uri("http://127.0.0.1:1");
        await using var worker = SpotterProcess.StartJoining(nobody, ["worker", "--data", Data, "--model", model], WorkerToken);
        var inspections = await Eventually.SeeAsync(
            "it looks at its model",
            () => Task.FromResult(Processes.ChildrenOf(worker.Id).Where(child => Processes.ArgumentsOf(child).Contains("inspect", StringComparer.Ordinal)).ToList()),
            children => children.Count > 0);

        Processes.Signal(inspections[0], Processes.Stop);
        (await worker.TerminateAsync()).ShouldBe(0, worker.Log);

        await Eventually.BeAsync("nobody looks any more", () => !Processes.IsAlive(inspections[0]));
    }

    private Process StartBy(string shell)
    {
        var start = SpotterProgram.StartInfo(["serve", "--port", "0", "--data", Data]);
        var by = new ProcessStartInfo("sh", ["-c", shell, "sh", start.FileName, .. start.ArgumentList]) { UseShellExecute = false };
        by.Environment.Clear();
        foreach (var (name, value) in start.Environment)
            by.Environment[name] = value;
        return Process.Start(by)!;
    }

    private async Task<Uri> AddressAsync(Process process)
    {
        var file = Path.Combine(Data, "address");
        await Eventually.BeAsync("it listens", () => process.HasExited || File.Exists(file));
        process.HasExited.ShouldBeFalse();
        return new Uri(await Eventually.SeeAsync("the address", () => File.ReadAllTextAsync(file), text => text.EndsWith('\n')));
    }

    private static async Task EndAsync(Process process)
    {
        Processes.Signal(process.Id, Processes.Terminate);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        process.ExitCode.ShouldBe(0);
    }
}
