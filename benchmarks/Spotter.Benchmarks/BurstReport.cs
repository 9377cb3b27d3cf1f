using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;
using Spotter.EndToEnd.Harness;

namespace Spotter.Benchmarks;

/// <summary>
/// Ten thousand small pictures at once against <c>serve</c>, sent and checked by <c>load</c>: nothing may be lost or
/// doubled, and the gateway's memory must not grow with the backlog.
/// </summary>
internal static class BurstReport
{
    private const int Jobs = 10_000;
    private const double MemoryTarget = 400;

    public static async Task RunAsync()
    {
        Console.WriteLine();
        Console.WriteLine($"burst of {Jobs} pictures (64 x 64) at once: nothing lost or doubled, gateway below {MemoryTarget:0} MB");
        var folder = Directory.CreateTempSubdirectory("spotter-burst-");
        var models = Directory.CreateTempSubdirectory("spotter-burst-model-");
        try
        {
            for (var i = 0; i < 16; i++)
                await File.WriteAllBytesAsync(Path.Combine(folder.FullName, $"{i:00}.png"), Pictures.Png((byte)(60 + (i * 8))));
            // A model that takes next to no time: it is everything else that is to be loaded.
            var model = PatchModel.Write(Path.Combine(models.FullName, "patches.onnx"));
            await using var service = await ServiceProcess.StartAsync("serve", "--model", model, "--no-reuse");
            using var stop = new CancellationTokenSource();
            var watching = service.PeakMemoryAsync(stop.Token);
            var figures = await LoadAsync(service, folder.FullName);
            await stop.CancelAsync();
            var peak = await watching / 1e6;
            if (figures.GetProperty("lost").GetInt32() + figures.GetProperty("doubled").GetInt32() > 0)
                throw new BenchmarkFailedException($"Answers were lost or doubled: {figures}");
            await JobAudit.CheckRunAsync(service.Client, Jobs);
            double Number(string name) => figures.GetProperty(name).GetDouble();
            FigureRecorder.Note("burst", "acceptSeconds", Number("acceptSeconds"));
            FigureRecorder.Note("burst", "answerSeconds", Number("answerSeconds"));
            FigureRecorder.Note("burst", "peakMB", peak);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  makespan {Number("answerSeconds"):0.0} s ({Number("answersPerSecond"):0}/s), accepted within {Number("acceptSeconds"):0.0} s ({Number("acceptedPerSecond"):0}/s)"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  lost {Number("lost"):0}, doubled {Number("doubled"):0}; gateway's peak memory {peak:0} MB = {peak / MemoryTarget:0.00} of the limit"));
        }
        finally
        {
            folder.Delete(recursive: true);
            models.Delete(recursive: true);
        }
    }

    private static async Task<JsonElement> LoadAsync(ServiceProcess service, string pictures)
    {
        var start = ServiceProcess.StartInfo(
            "load", "--url", service.Client.BaseAddress!.ToString(), "--images", pictures, "--jobs", Jobs.ToString(CultureInfo.InvariantCulture), "--burst", "--json");
        using var load = Process.Start(start)!;
        load.ErrorDataReceived += (_, line) => Console.Error.WriteLine(line.Data);
        load.BeginErrorReadLine();
        var printed = await load.StandardOutput.ReadToEndAsync();
        await load.WaitForExitAsync();
        return JsonDocument.Parse(printed).RootElement;
    }
}
