using System.Diagnostics;
using System.Globalization;
using Spotter.Benchmarks.Services;
using Spotter.Benchmarks.Results;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Benchmarks;

/// <summary>
/// Pictures per second through the whole service, against what the parts alone allow on as many cores as there are
/// workers, and beside the same service in Node: with clients on the same cores that send their next picture when they
/// have the answer to the one before, and while a backlog is worked off after the last upload.
/// </summary>
internal static class ServiceThroughput
{
    private const int Runs = 3;

    // By then the compiler has made its best code of what runs often, on a slow machine too.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(16);

    private static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    /// <summary>Medians of pictures per second.</summary>
    /// <param name="Waiting">Clients wait for each result.</param>
    /// <param name="Drained">From the last upload to the last result.</param>
    /// <param name="WorkersMs">Processor time of the workers per picture, in milliseconds.</param>
    /// <param name="GatewayMs">That of the gateway.</param>
    /// <param name="ClientsMs">That of the clients.</param>
    public sealed record Rates(double Waiting, double Drained, double WorkersMs, double GatewayMs, double ClientsMs);

    public static async Task RunAsync(BenchmarkOptions options, Report parts)
    {
        var picture = await File.ReadAllBytesAsync(options.Image);
        var duration = TimeSpan.FromSeconds(options.Seconds);
        Console.WriteLine();
        Console.WriteLine($"{"whole service, pictures/s",-44}{"measured",10}{"parts allow",13}{"ratio",8}   processor ms per picture");
        foreach (var workers in (int[])[1, 2])
        {
            foreach (var annotate in (bool[])[false, true])
            {
                var allowed = 1000.0 * workers / (annotate ? parts.AnnotatedSum : parts.PlainSum)[workers];
                Rates ours;
                await using (var service = await SpotterService.StartAsync(options.Model, workers))
                    ours = await MeasureAsync(service, picture, workers, annotate, allowed, duration, WarmUp);
                var figures = $"{(annotate ? "annotated" : "plain")}.{workers}";
                Note(figures, "", ours, allowed);
                if (await StartPeerAsync(options.Model, picture, workers) is not { } peer)
                    continue;
                await using (peer)
                {
                    var theirs = await MeasureAsync(peer, picture, workers, annotate, allowed, duration, WarmUp);
                    Note(figures, "Node", theirs, allowed);
                    FigureRecorder.Note("service", $"{figures}.waitingTimes", ours.Waiting / theirs.Waiting);
                    FigureRecorder.Note("service", $"{figures}.backlogTimes", ours.Drained / theirs.Drained);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    Spotter does {ours.Waiting / theirs.Waiting:0.0} times as many, of a backlog {ours.Drained / theirs.Drained:0.0} times"));
                }
            }
        }
    }

    /// <summary>Measures one service, and prints it when everything that was counted has happened.</summary>
    /// <exception cref="BenchmarkFailedException">It has not.</exception>
    public static async Task<Rates> MeasureAsync(
        IPictureService service, byte[] picture, int workers, bool annotate, double allowed, TimeSpan duration, TimeSpan warmUp)
    {
        var sender = new PictureSender(service.Client, service.AddressFor(annotate), picture);
        var jobs = new List<string>((await sender.WaitingAsync(warmUp)).Jobs);
        var (waiting, drained) = (new List<double>(), new List<double>());

        var (used, client, warm) = (service.ProcessorTime(), Environment.CpuUsage.TotalTime, jobs.Count);
        for (var run = 0; run < Runs; run++)
        {
            var sent = await sender.WaitingAsync(duration);
            waiting.Add(sent.PerSecond);
            jobs.AddRange(sent.Jobs);
        }
        var (now, sentJobs) = (service.ProcessorTime(), jobs.Count - warm);
        var (workersMs, gatewayMs) = ((now.Workers - used.Workers).TotalMilliseconds / sentJobs, (now.Gateway - used.Gateway).TotalMilliseconds / sentJobs);
        var clientsMs = (Environment.CpuUsage.TotalTime - client).TotalMilliseconds / sentJobs;
        var perPicture = string.Create(CultureInfo.InvariantCulture, $"workers {workersMs:0.0}, gateway {gatewayMs:0.0}, clients {clientsMs:0.0}");

        await service.CheckAsync(jobs, picture, annotate);

        var backlog = new List<string>();
        for (var run = 0; run < Runs; run++)
        {
            var sent = await sender.AcceptedAsync((int)Math.Max(PictureSender.Clients, 1.5 * waiting[^1] * duration.TotalSeconds));
            backlog.AddRange(sent.Jobs);
            drained.Add(await DrainAsync(service, jobs.Count + backlog.Count));
        }
        await service.CheckAsync([.. jobs, .. backlog], picture, annotate);

        var rates = new Rates(Median(waiting), Median(drained), workersMs, gatewayMs, clientsMs);
        var name = $"{service.Name}, {workers} worker{(workers > 1 ? "s" : "")}{(annotate ? ", annotated" : "")}";
        Print(name, rates.Waiting, allowed, perPicture);
        Print("  working off a backlog", rates.Drained, allowed, "");
        return rates;
    }

    private static void Note(string figures, string service, Rates rates, double allowed)
    {
        foreach (var (name, value) in ((string, double)[])[
            ($"waiting{service}", rates.Waiting), ($"waiting{service}Share", rates.Waiting / allowed),
            ($"backlog{service}", rates.Drained), ($"backlog{service}Share", rates.Drained / allowed),
            ($"workersMs{service}", rates.WorkersMs), ($"gatewayMs{service}", rates.GatewayMs), ($"clientsMs{service}", rates.ClientsMs)])
        {
            FigureRecorder.Note("service", $"{figures}.{name}", value);
        }
    }

    /// <summary>The rate from now until so many have a result.</summary>
    private static async Task<double> DrainAsync(IPictureService service, long jobs)
    {
        var begun = Stopwatch.GetTimestamp();
        var left = jobs - await service.SucceededAsync();
        if (left <= 0)
            throw new BenchmarkFailedException("The jobs were done before the last one was sent, so there was no backlog to work off.");
        while (await service.SucceededAsync() < jobs)
        {
            if (Stopwatch.GetElapsedTime(begun) > LongestDrain)
                throw new BenchmarkFailedException($"After {LongestDrain.TotalSeconds:0} s only {await service.SucceededAsync()} of {jobs} jobs had a result.");
            await Task.Delay(Glance, TimeProvider.System);
        }
        return left / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    private static async Task<PeerService?> StartPeerAsync(string model, byte[] picture, int workers)
    {
        using var loaded = VisionModel.Load(model, new VisionModelOptions());
        var found = loaded.Run(picture, new VisionParameters()).Result.Detections![0].Label;
        return await PeerService.StartAsync(model, loaded.Model.Labels, found, workers);
    }

    private static double Median(List<double> rates) => rates.Order().ElementAt(rates.Count / 2);

    private static void Print(string name, double rate, double allowed, string more) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44}{rate,10:0.0}{allowed,13:0.0}{rate / allowed,8:0.00}   {more}").TrimEnd());
}
