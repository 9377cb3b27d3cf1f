using System.Globalization;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;
using Spotter.EndToEnd.Harness;

namespace Spotter.Benchmarks;

/// <summary>A thousand clients that each wait for the answer to a small picture, and send the next one then.</summary>
internal static class CrowdReport
{
    private const int Clients = 1000;
    private const int WarmUp = 5;
    private const int Each = 20;

    public static async Task RunAsync()
    {
        Console.WriteLine();
        Console.WriteLine($"{Clients} clients that wait for their answers, {Each} pictures each (64 x 64), a model that takes next to no time");
        var folder = Directory.CreateTempSubdirectory("spotter-crowd-");
        try
        {
            var picture = Pictures.Png(90);
            await using var service = await SpotterService.StartAsync(PatchModel.Write(Path.Combine(folder.FullName, "patches.onnx")), workers: 1);
            var sender = new PictureSender(service.Client, service.AddressFor(annotate: false), picture, "image/png");
            var before = (await sender.TimedAsync(Clients, WarmUp)).Sent.Jobs;
            var (sent, ms) = await sender.TimedAsync(Clients, Each);
            var peak = service.PeakMemory().Gateway / 1e6;
            await service.CheckAsync([.. before, .. sent.Jobs], picture, annotate: false);
            foreach (var (name, value) in ((string, double)[])[("perSecond", sent.PerSecond), ("median", ms[ms.Count / 2]), ("worst", ms[^1]), ("peakMB", peak)])
                FigureRecorder.Note("crowd", name, value);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {sent.PerSecond:0} answers/s, none missing; a client waits {ms[ms.Count / 2]:0} ms (median), {ms[^1]:0} ms at most; gateway's peak memory {peak:0} MB"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
