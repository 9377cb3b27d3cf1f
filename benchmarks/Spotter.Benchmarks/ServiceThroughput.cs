using System.Diagnostics;
using System.Globalization;

namespace Spotter.Benchmarks;

/// <summary>
/// Pictures per second through the whole service, against what the parts alone allow on as many cores as there are
/// workers: with clients on the same cores that send their next picture when they have the answer to the one before,
/// and while a backlog is worked off after the last upload.
/// </summary>
internal static class ServiceThroughput
{
    private const int Clients = 8;

    // The compiler has made its best code of what runs often after about so many pictures.
    private const int WarmUp = 1000;

    private const double NodeJobsPerSecond = 19;

    public static async Task RunAsync(BenchmarkOptions options, Report parts)
    {
        var picture = await File.ReadAllBytesAsync(options.Image);
        Console.WriteLine();
        Console.WriteLine("whole service, pictures/s             measured  parts allow     ratio");
        foreach (var workers in (int[])[1, 2])
        {
            await MeasureAsync(options, picture, workers, annotate: false, 1000.0 * workers / parts.PlainSum[workers]);
            var annotated = await MeasureAsync(options, picture, workers, annotate: true, 1000.0 * workers / parts.AnnotatedSum[workers]);
            Console.WriteLine($"    = {annotated / NodeJobsPerSecond:0.0} x the {NodeJobsPerSecond}/s of BullMQ on Redis + sharp + onnxruntime-node, as measured earlier on such a machine");
        }
    }

    private static async Task<double> MeasureAsync(BenchmarkOptions options, byte[] picture, int workers, bool annotate, double allowed)
    {
        var count = workers.ToString(CultureInfo.InvariantCulture);
        await using var service = await ServiceProcess.StartAsync(
            "serve", "--model", options.Model, "--min-workers", count, "--max-workers", count, "--lanes", "1");
        await service.UntilAsync(s => s.GetProperty("idle").GetInt32() == workers);
        var query = annotate ? "?annotate=true" : "";
        await service.SendAsync(picture, WarmUp, Clients, query, wait: true);

        var rates = new List<double>();
        var used = service.ProcessorTime();
        var client = Environment.CpuUsage.TotalTime;
        var sent = 0;
        for (var run = 0; run < 3; run++)
        {
            var jobs = (int)(allowed * options.Seconds);
            sent += jobs;
            var begun = Stopwatch.GetTimestamp();
            await service.SendAsync(picture, jobs, Clients, query, wait: true);
            rates.Add(jobs / Stopwatch.GetElapsedTime(begun).TotalSeconds);
        }
        var name = $"{workers} worker{(workers > 1 ? "s" : "")}, {(annotate ? "annotated" : "not annotated")}";
        Print(name, rates, allowed);
        var now = service.ProcessorTime();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"    processor ms per picture: workers {(now.Workers - used.Workers).TotalMilliseconds / sent:0.0}, gateway {(now.Gateway - used.Gateway).TotalMilliseconds / sent:0.0}, client {(Environment.CpuUsage.TotalTime - client).TotalMilliseconds / sent:0.0}"));
        Print("  working off a backlog", await DrainAsync(service, picture, query, (int)(allowed * options.Seconds)), allowed);
        return rates[1];
    }

    /// <summary>Rates from the last upload to the last result; uploads come in faster than they are worked on.</summary>
    private static async Task<List<double>> DrainAsync(ServiceProcess service, byte[] picture, string query, int jobs)
    {
        var rates = new List<double>();
        for (var run = 0; run < 3; run++)
        {
            var before = (await service.StatsAsync()).GetProperty("succeeded").GetInt64();
            await service.SendAsync(picture, 2 * jobs, Clients, query, wait: false);
            var begun = Stopwatch.GetTimestamp();
            var left = before + (2 * jobs) - (await service.StatsAsync()).GetProperty("succeeded").GetInt64();
            await service.UntilAsync(s => s.GetProperty("succeeded").GetInt64() >= before + (2 * jobs));
            rates.Add(left / Stopwatch.GetElapsedTime(begun).TotalSeconds);
        }
        return rates;
    }

    private static void Print(string name, List<double> rates, double allowed)
    {
        rates.Sort();
        Console.WriteLine($"{name,-36}{rates[1],10:0.0}{allowed,13:0.0}{rates[1] / allowed,10:0.00}");
    }
}
