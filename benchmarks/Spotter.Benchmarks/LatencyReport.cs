using System.Globalization;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;

namespace Spotter.Benchmarks;

/// <summary>How long one client waits for its answer when nobody else asks: on a service that is warm, against what the parts take; and on one without workers.</summary>
internal static class LatencyReport
{
    private const int WarmUp = 300;
    private const int Pictures = 500;
    private const int Starts = 5;
    private const double MedianTarget = 3;
    private const double P99Target = 10;

    public static async Task RunAsync(BenchmarkOptions options, Report parts)
    {
        var picture = await File.ReadAllBytesAsync(options.Image);
        var sum = parts.PlainSum[1];
        FigureRecorder.Note("latency", "parts", sum);
        Console.WriteLine();
        Console.WriteLine($"one client, {Pictures} pictures one after the other; the parts take {Ms(sum)}");
        await using (var service = await SpotterService.StartAsync(options.Model, workers: 1))
        {
            var sender = new PictureSender(service.Client, service.AddressFor(annotate: false), picture);
            var before = (await sender.TimedAsync(clients: 1, WarmUp)).Sent.Jobs;
            var (sent, ms) = await sender.TimedAsync(clients: 1, Pictures);
            await service.CheckAsync([.. before, .. sent.Jobs], picture, annotate: false);
            Print("median", ms[Pictures / 2], MedianTarget);
            Print("p99", ms[Pictures * 99 / 100], P99Target);
            void Print(string name, double value, double target)
            {
                FigureRecorder.Note("latency", name, value);
                FigureRecorder.Note("latency", $"{name}Over", value - sum);
                Console.WriteLine($"  {name,-8}{Ms(value)}, {Ms(value - sum)} more than the parts (target: at most {Ms(target)} more)");
            }
        }

        var first = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            await using var service = await SpotterService.StartAsync(options.Model, workers: 0);
            var (sent, ms) = await new PictureSender(service.Client, service.AddressFor(annotate: false), picture).TimedAsync(clients: 1, each: 1);
            await service.CheckAsync(sent.Jobs, picture, annotate: false);
            first.Add(ms[0]);
        }
        first.Sort();
        FigureRecorder.Note("latency", "first", first[Starts / 2]);
        Console.WriteLine($"  the first picture on a service without workers: {Ms(first[Starts / 2])} ({Ms(first[0])} to {Ms(first[^1])} in {Starts} starts)");
    }

    private static string Ms(double ms) => string.Create(CultureInfo.InvariantCulture, $"{ms:0.0} ms");
}
