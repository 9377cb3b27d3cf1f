using System.Diagnostics;
using System.Globalization;

namespace Spotter.EndToEnd.Watch;

/// <summary><c>spotter watch</c> on what ffmpeg reads.</summary>
public sealed class WatchVideoTests(RunningService service) : IClassFixture<RunningService>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [FfmpegFact]
    public async Task Every_picture_of_a_video_file_is_looked_at_and_then_it_ends()
    {
        var video = folder.File("drive way.mp4");
        await FfmpegAsync("-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:duration=6", "-c:v", "mpeg4", video);

        await using var watch = WatchProcess.Start(service.Process.Address, [video, "--json", "--every", "1"]);

        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        watch.Results.Count.ShouldBeInRange(6, 7);
        watch.Results.ShouldAllBe(r => r.GetProperty("name").GetString() == "drive way" && r.GetProperty("dropped").GetInt32() == 0 && r.GetProperty("state").GetString() == "succeeded");
    }

    [FfmpegFact]
    public async Task A_camera_that_speaks_RTSP_is_read_over_TCP_and_its_password_is_shown_nowhere()
    {
        WatchProcess watch;
        await using (var camera = new RtspCamera())
        {
            watch = WatchProcess.Start(service.Process.Address, [camera.UrlWithPassword, "--json", "--every", "0.5", "--name", "gate"]);
            await watch.CountAsync(3);
            camera.Interleaved.ShouldBe(1);
        }
        await using var ended = watch;
        await watch.HearAsync("can't be used");

        watch.Results.ShouldAllBe(r => r.GetProperty("state").GetString() == "succeeded");
        watch.Errors.ShouldAllBe(line => !line.Contains(RtspCamera.Password, StringComparison.Ordinal) && !line.Contains(Uri.EscapeDataString(RtspCamera.Password), StringComparison.OrdinalIgnoreCase));
        (await watch.StopAsync(TimeSpan.FromSeconds(10))).ShouldBe(0);
    }

    [FfmpegFact]
    public async Task A_wrong_password_of_an_RTSP_camera_ends_it_at_once()
    {
        await using var camera = new RtspCamera();
        await using var watch = WatchProcess.Start(service.Process.Address, [camera.UrlWithPassword.Replace(Uri.EscapeDataString(RtspCamera.Password), "hunter2", StringComparison.Ordinal)]);

        (await watch.ExitAsync()).ShouldBe(1);
        watch.Errors.ShouldHaveSingleItem().ShouldContain("asks for a user and password, or refuses these");
        watch.Errors[0].ShouldNotContain("hunter2");
    }

    [FfmpegFact]
    public async Task A_stream_that_ends_is_begun_again_and_ffmpeg_goes_when_the_program_goes()
    {
        var port = FreePort.Take();
        using var first = Serve(port);
        await using var watch = WatchProcess.Start(service.Process.Address, [$"tcp://127.0.0.1:{port}", "--json", "--every", "0.5"]);
        await watch.CountAsync(2);

        first.Kill();
        await first.WaitForExitAsync();
        await watch.HearAsync("can't be used");
        var before = watch.Output.Count;
        using var second = Serve(port);
        await watch.CountAsync(before + 2);
        await watch.SeeAsync("that it is back is said", () => watch.Errors[^1].EndsWith("is back.", StringComparison.Ordinal));
        watch.Errors.Count(line => line.EndsWith("is back.", StringComparison.Ordinal)).ShouldBe(watch.Errors.Count(line => line.Contains("can't be used", StringComparison.Ordinal)));

        var reader = Processes.ChildrenOf(watch.Id).ShouldHaveSingleItem();
        Processes.ArgumentsOf(reader).Contains($"tcp://127.0.0.1:{port}/", StringComparer.Ordinal).ShouldBeTrue();
        (await watch.StopAsync(TimeSpan.FromSeconds(10))).ShouldBe(0);
        Processes.IsAlive(reader).ShouldBeFalse();
        second.Kill();
        await second.WaitForExitAsync();
    }

    [FfmpegFact]
    public async Task What_is_no_video_is_refused()
    {
        await File.WriteAllTextAsync(folder.File("notes.mp4"), "no video");
        await using var watch = WatchProcess.Start(service.Process.Address, [folder.File("notes.mp4")]);

        (await watch.ExitAsync()).ShouldBe(1);
        watch.Errors.ShouldHaveSingleItem().ShouldContain("ffmpeg can't read the video");
    }

    [Fact]
    public async Task Without_ffmpeg_it_says_what_to_install()
    {
        // Whatever starts the program has to be found all the same.
        var dotnet = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, "dotnet")).First(File.Exists);
        File.CreateSymbolicLink(folder.File("dotnet"), new FileInfo(dotnet).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? dotnet);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = folder.Path };

        await using var watch = WatchProcess.StartWith(environment, service.Process.Address, ["rtsp://viewer:hunter2@127.0.0.1:1/ch1"]);

        (await watch.ExitAsync()).ShouldBe(1);
        watch.Errors.ShouldHaveSingleItem().ShouldContain("apt install ffmpeg");
        watch.Errors[0].ShouldNotContain("hunter2");
    }

    [LinuxFact]
    public async Task Ffmpeg_learns_no_key_and_no_password()
    {
        var heard = folder.File("heard");
        await File.WriteAllTextAsync(folder.File("ffmpeg"), $"#!/bin/sh\nenv >'{heard}'\nexit 1\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.File("ffmpeg"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(folder.File("clip.mp4"), "a video");
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = $"{folder.Path}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}",
            ["SPOTTER__KEY"] = "sk_hidden1",
            ["SPOTTER__WATCH__MQTTPASSWORD"] = "hidden2",
            ["AWS_SECRET_ACCESS_KEY"] = "hidden3",
        };

        await using var watch = WatchProcess.StartWith(environment, service.Process.Address, [folder.File("clip.mp4")]);

        (await watch.ExitAsync()).ShouldBe(1);
        var told = await File.ReadAllTextAsync(heard);
        told.ShouldContain("PATH=");
        told.ShouldNotContain("hidden");
    }

    /// <summary>Serves a stream to whoever connects first.</summary>
    private static Process Serve(int port) => Process.Start(Start(
        "-re", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=10", "-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", string.Create(CultureInfo.InvariantCulture, $"tcp://127.0.0.1:{port}?listen=1")))!;

    private static async Task FfmpegAsync(params string[] arguments)
    {
        using var process = Process.Start(Start(arguments))!;
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }

    private static ProcessStartInfo Start(params string[] arguments) =>
        new(Programs.Ffmpeg!, ["-nostdin", "-loglevel", "error", .. arguments]) { UseShellExecute = false, RedirectStandardInput = true };
}
