using System.Diagnostics;
using System.Globalization;
using Spotter.Tests.Http;

namespace Spotter.Attack;

/// <summary>What leaves the program's processes: every address that they and their children send to, as the kernel sees it.</summary>
public sealed class OutgoingTests
{
    // ONNX Runtime reported about ten seconds after its start.
    private static readonly TimeSpan LongEnoughToReport = TimeSpan.FromSeconds(18);

    [StraceFact]
    public async Task A_service_sends_only_to_itself_and_to_the_endpoint_of_a_webhook_whatever_its_certificate_points_at()
    {
        using var folder = new TemporaryFolder();
        var home = Directory.CreateDirectory(folder.File("home")).FullName;
        var trace = folder.File("trace");
        await using var endpoint = new PointingServer();
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")),
            ["--min-workers", "1", "--max-workers", "1", "--callback-allow", "127.0.0.1"], WithHome(home), trace: trace);
        using var api = new SpotterApi(service.Address);
        var answer = await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("callback", endpoint.Address.ToString())]);
        var id = SpotterApi.IdOf(answer.Json);
        var job = await Eventually.SeeAsync("the webhook was tried", () => api.JobAsync(id), j => j.GetProperty("callback").GetProperty("attempts").GetInt32() > 0);
        job.GetProperty("callback").GetProperty("detail").GetString()!.ShouldContain("certificate");
        var workers = service.Workers();
        workers.ShouldNotBeEmpty();
        // Not the whole of it in a message: it may hold what nobody should read.
        var isTold = workers.All(worker => File.ReadAllText($"/proc/{worker}/environ").Split('\0').Contains("ORT_DISABLE_TELEMETRY=1", StringComparer.Ordinal));
        // Nothing says that nothing will happen.
        await Task.Delay(LongEnoughToReport, TimeProvider.System);
        (await service.TerminateAsync()).ShouldBe(0);

        var sent = await Strace.SeeEndAsync(service.Id, trace);

        sent.ShouldContain(line => line.Contains(Port(endpoint.Port), StringComparison.Ordinal), "the dial was not seen");
        sent.ShouldContain(line => line.Contains(Port(service.Address.Port), StringComparison.Ordinal), "the worker's calls were not seen");
        sent.Where(line => !IsLoopback(line) || !(line.Contains(Port(endpoint.Port), StringComparison.Ordinal) || line.Contains(Port(service.Address.Port), StringComparison.Ordinal)))
            .ShouldBeEmpty();
        endpoint.Fetches.ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(home).ShouldBeEmpty();
        isTold.ShouldBeTrue("a worker was started without ORT_DISABLE_TELEMETRY=1");
    }

    [StraceFact]
    public async Task A_command_that_loads_the_native_libraries_sends_nothing_and_leaves_nothing_at_home()
    {
        using var folder = new TemporaryFolder();
        var home = Directory.CreateDirectory(folder.File("home")).FullName;
        var models = Directory.CreateDirectory(folder.File("data/models")).FullName;
        var model = PatchModel.Write(Path.Combine(models, "patches.onnx"));
        var picture = folder.File("picture.png");
        await File.WriteAllBytesAsync(picture, Pictures.Png(90));
        string[][] commands =
        [
            ["doctor", "--data", folder.File("data"), "--port", "1"],
            ["models", "list", "--data", folder.File("data")],
            ["models", "inspect", model],
            ["detect", picture, "--model", model],
        ];
        foreach (var (number, command) in commands.Index())
        {
            var trace = folder.File(string.Create(CultureInfo.InvariantCulture, $"trace-{number}"));
            using var process = Process.Start(Strace.Sending(SpotterProgram.StartInfo(command, WithHome(home)), trace))!;
            var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));

            (await Strace.SeeEndAsync(process.Id, trace)).ShouldBeEmpty(string.Join(' ', command) + string.Concat(await said));
            Directory.EnumerateFileSystemEntries(home).ShouldBeEmpty(string.Join(' ', command));
        }
    }

    private static Dictionary<string, string> WithHome(string home) => new(StringComparer.Ordinal) { ["HOME"] = home };

    private static string Port(int port) => string.Create(CultureInfo.InvariantCulture, $"htons({port})");

    private static bool IsLoopback(string line) => line.Contains("\"127.0.0.1\"", StringComparison.Ordinal) || line.Contains("\"::ffff:127.0.0.1\"", StringComparison.Ordinal);
}
