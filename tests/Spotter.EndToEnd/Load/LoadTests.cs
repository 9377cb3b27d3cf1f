using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Load;

/// <summary><c>spotter load</c> against real services, which are killed under it.</summary>
public sealed class LoadTests(ITestOutputHelper output) : IDisposable
{
    private const int Pictures = 20;

    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task A_service_that_is_killed_in_the_middle_loses_and_doubles_nothing()
    {
        const int jobs = 300;
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 2);
        var data = folder.File("data");
        var ledger = folder.File("ledger.jsonl");
        var service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "2", "--lanes", "1"]);
        try
        {
            using var api = new SpotterApi(service.Address);
            var load = LoadAsync(service, jobs, "--burst", "--concurrency", "16", "--repeat", "0.1", "--record", ledger);
            // Once while pictures come in, once while they are worked on.
            await Eventually.SeeAsync("some are accepted", api.StatsAsync, stats => Known(stats) > jobs / 8);
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "2", "--lanes", "1"], port: service.Address.Port);
            await Eventually.SeeAsync("some are answered", api.StatsAsync, stats => stats.GetProperty("succeeded").GetInt64() > jobs / 3, TimeSpan.FromSeconds(90));
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "2", "--lanes", "1"], port: service.Address.Port);

            var (status, figures, errors) = await load;

            output.WriteLine(figures.GetRawText());
            status.ShouldBe(0, errors);
            Number(figures, "lost").ShouldBe(0);
            Number(figures, "doubled").ShouldBe(0);
            Number(figures, "accepted").ShouldBe(jobs);
            figures.GetProperty("states").GetProperty("succeeded").GetInt32().ShouldBe(jobs);
            Number(figures, "broken").ShouldBeGreaterThan(0, "the kill was not noticed");

            // The books still agree after one more death.
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "2", "--lanes", "1"], port: service.Address.Port);
            var check = await SpotterProgram.RunAsync("load", "--check", ledger, "--json");
            check.Status.ShouldBe(0, check.Errors);
            Number(JsonDocument.Parse(check.Output).RootElement, "ended").ShouldBe(jobs);
        }
        catch (Exception)
        {
            output.WriteLine(service.Log);
            throw;
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_ledger_is_checked_although_load_was_killed_too()
    {
        const int jobs = 120;
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 4);
        var data = folder.File("data");
        var ledger = folder.File("ledger.jsonl");
        var service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "1", "--lanes", "2"]);
        try
        {
            using var api = new SpotterApi(service.Address);
            using var load = Process.Start(SpotterProgram.StartInfo(Arguments(service, jobs, "--burst", "--concurrency", "8", "--record", ledger)))!;
            await Eventually.SeeAsync("all are accepted and some answered", api.StatsAsync,
                stats => Known(stats) == jobs && stats.GetProperty("succeeded").GetInt64() > 3);
            Processes.Signal(load.Id, Processes.Kill);
            await load.WaitForExitAsync();
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(data, model, ["--max-workers", "1", "--lanes", "2"], port: service.Address.Port);

            var check = await SpotterProgram.RunAsync("load", "--check", ledger, "--json");

            check.Status.ShouldBe(0, check.Errors);
            var figures = JsonDocument.Parse(check.Output).RootElement;
            Number(figures, "ended").ShouldBe(Number(figures, "accepted"));
            // The last answers may not have been written down before the kill.
            Number(figures, "accepted").ShouldBeInRange(jobs - 20, jobs);

            // Another folder is another service: it knows none of these jobs.
            await service.KillAsync();
            service = await SpotterProcess.StartAsync(folder.File("other"), model, ["--max-workers", "1", "--lanes", "2"], port: service.Address.Port);
            var lost = await SpotterProgram.RunAsync("load", "--check", ledger, "--json", "--timeout", "5");
            lost.Status.ShouldBe(1);
            Number(JsonDocument.Parse(lost.Output).RootElement, "lost").ShouldBe(Number(figures, "accepted"));
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task Ctrl_C_prints_what_there_is()
    {
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("slow.onnx"), work: 60), ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);
        using var load = Process.Start(SpotterProgram.StartInfo(Arguments(service, 500, "--rate", "40")))!;
        await Eventually.SeeAsync("some are accepted", api.StatsAsync, stats => Known(stats) > 10 && stats.GetProperty("succeeded").GetInt64() > 0);
        Processes.Signal(load.Id, Processes.Interrupt);

        var printed = await load.StandardOutput.ReadToEndAsync();
        await load.WaitForExitAsync();

        load.ExitCode.ShouldBe(130);
        var figures = JsonDocument.Parse(printed).RootElement;
        figures.GetProperty("interrupted").GetBoolean().ShouldBeTrue();
        Number(figures, "accepted").ShouldBeInRange(5, 499);
        Number(figures, "lost").ShouldBe(0);
    }

    [Fact]
    public async Task Pictures_that_are_turned_away_are_counted_by_code()
    {
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--lanes", "2"]);
        WritePictures();
        File.WriteAllText(Path.Combine(folder.Path, "pictures", "text.jpg"), "no picture");

        var (status, figures, errors) = await LoadAsync(service, Pictures + 1);

        status.ShouldBe(0, errors);
        figures.GetProperty("rejected").GetProperty("unsupported_image").GetInt32().ShouldBe(1);
        Number(figures, "accepted").ShouldBe(Pictures);
        Number(figures, "lost").ShouldBe(0);
    }

    public void Dispose() => folder.Dispose();

    private static int Number(JsonElement figures, string name) => figures.GetProperty(name).GetInt32();

    private static long Known(JsonElement stats) =>
        stats.GetProperty("queued").GetInt64() + stats.GetProperty("running").GetInt64() + stats.GetProperty("succeeded").GetInt64();

    private void WritePictures()
    {
        Directory.CreateDirectory(folder.File("pictures"));
        for (var i = 0; i < Pictures; i++)
            File.WriteAllBytes(folder.File($"pictures/{i:00}.png"), Harness.Pictures.Png((byte)(60 + (8 * i))));
    }

    private string[] Arguments(SpotterProcess service, int jobs, params string[] more)
    {
        if (!Directory.Exists(folder.File("pictures")))
            WritePictures();
        return ["load", "--url", service.Address.ToString(), "--images", folder.File("pictures"), "--jobs", jobs.ToString(CultureInfo.InvariantCulture), "--json", .. more];
    }

    private async Task<(int Status, JsonElement Figures, string Errors)> LoadAsync(SpotterProcess service, int jobs, params string[] more)
    {
        using var load = Process.Start(SpotterProgram.StartInfo(Arguments(service, jobs, more)))!;
        load.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            var printed = load.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = load.StandardError.ReadToEndAsync(patience.Token);
            await load.WaitForExitAsync(patience.Token);
            return (load.ExitCode, JsonDocument.Parse(await printed).RootElement, await errors);
        }
        finally
        {
            if (!load.HasExited)
                load.Kill();
        }
    }
}
