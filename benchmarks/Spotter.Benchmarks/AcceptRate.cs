using System.Diagnostics;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;

namespace Spotter.Benchmarks;

/// <summary>How many uploads per second become durable jobs, and how many files the disk alone takes the same way.</summary>
internal static class AcceptRate
{
    private const int Clients = PictureSender.Clients;
    private const int WarmUp = 200;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var picture = await File.ReadAllBytesAsync(options.Image);
        Console.WriteLine();
        Console.WriteLine($"uploads accepted (blob and row on disk before the answer), {Clients} clients (target 200/s)");
        var rates = new List<double>();
        var disk = new List<double>();
        for (var run = 0; run < 3; run++)
        {
            await using var service = await ServiceProcess.StartAsync("gateway", "--model", options.Model, "--client-rate", "0");
            var sender = new PictureSender(service.Client, new Uri("/v1/jobs?reuse=false", UriKind.Relative), picture);
            var warm = await sender.AcceptedAsync(WarmUp);
            var sent = await sender.AcceptedAsync((int)(200 * options.Seconds));
            await CheckAsync(service, [.. warm.Jobs, .. sent.Jobs], picture);
            rates.Add(sent.PerSecond);
            disk.Add(DiskAlone(picture, sent.Jobs.Count));
            Console.WriteLine($"  {rates[^1],8:0} uploads/s; the disk alone {disk[^1]:0} files/s");
        }
        rates.Sort();
        disk.Sort();
        FigureRecorder.Note("accept", "perSecond", rates[1]);
        FigureRecorder.Note("accept", "diskPerSecond", disk[1]);
        FigureRecorder.Note("accept", "ofDisk", rates[1] / disk[1]);
        Console.WriteLine($"  median {rates[1]:0} uploads/s = {rates[1] / 200:0.00} of the target, {rates[1] / disk[1]:0.00} of the disk alone");
    }

    /// <summary>Every upload is a job that waits, and its picture is on the disk.</summary>
    private static async Task CheckAsync(ServiceProcess service, IReadOnlyList<string> jobs, byte[] picture)
    {
        JobAudit.Distinct(jobs);
        if ((await service.StatsAsync()).GetProperty("queued").GetInt64() is var queued && queued != jobs.Count)
            throw new BenchmarkFailedException($"{jobs.Count} uploads were accepted, but {queued} jobs wait.");
        await JobAudit.CheckBytesAsync(service.Client, service.Data, jobs, picture);
    }

    private static double DiskAlone(byte[] picture, int files)
    {
        var folder = Directory.CreateTempSubdirectory("spotter-disk-");
        try
        {
            var next = -1;
            var begun = Stopwatch.GetTimestamp();
            var threads = Enumerable.Range(0, Clients).Select(_ => new Thread(() =>
            {
                int i;
                while ((i = Interlocked.Increment(ref next)) < files)
                {
                    using var file = new FileStream(Path.Combine(folder.FullName, $"{i}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
                    file.Write(picture);
                    file.Flush(flushToDisk: true);
                }
            })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            return files / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
