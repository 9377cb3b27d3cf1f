using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Spotter.Benchmarks.Results;
using Spotter.Benchmarks.Services;
using Spotter.EndToEnd.Harness;

namespace Spotter.Benchmarks;

/// <summary>
/// <c>serve</c> that scales its own processes, under <c>load</c>: a burst from zero workers against one that finds them
/// started, a trickle, and workers that come and go all the time.
/// </summary>
internal static class ScalingReport
{
    private const int Burst = 110;
    private const int Trickle = 60;
    private const int Stream = 120;
    private const int Runs = 3;
    private const double FirstAnswerTarget = 3;
    private const double MakespanTarget = 1.15;

    // About a third of a second on one core: what a larger model takes for a picture.
    private const int SlowModelWork = 60;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("spotter-scaling-");
        try
        {
            for (var i = 0; i < 16; i++)
                await File.WriteAllBytesAsync(Path.Combine(folder.FullName, $"{i:00}.png"), Pictures.Png((byte)(60 + (i * 8))));
            var slow = PatchModel.Write(Path.Combine(folder.FullName, "slow.onnx"), SlowModelWork);
            await BurstAsync("slow", "a slow model", slow, folder.FullName);
            await BurstAsync("model", Path.GetFileNameWithoutExtension(options.Model), options.Model, folder.FullName);
            await TrickleAsync(options.Model, folder.FullName);
            await ComingAndGoingAsync(options.Model, folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task BurstAsync(string figures, string name, string model, string pictures)
    {
        var workers = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
        var (warm, cold, first) = (new List<double>(), new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            await using (var started = await StartAsync(model, "--min-workers", workers, "--max-workers", workers))
            {
                await started.UntilAsync(s => s.GetProperty("idle").GetInt32() == Environment.ProcessorCount);
                warm.Add((await BurstAsync(started, pictures)).Makespan);
            }
            await using var empty = await StartAsync(model, "--max-workers", workers);
            var (firstAnswer, makespan) = await BurstAsync(empty, pictures);
            first.Add(firstAnswer);
            cold.Add(makespan);
        }
        var ratio = Median(cold) / Median(warm);
        FigureRecorder.Note("scaling", $"{figures}.firstSeconds", Median(first));
        FigureRecorder.Note("scaling", $"{figures}.makespanSeconds", Median(cold));
        FigureRecorder.Note("scaling", $"{figures}.ofWarm", ratio);
        Console.WriteLine();
        Console.WriteLine($"burst of {Burst} pictures, {name}, {workers} workers at most, medians of {Runs} runs");
        Line($"  from zero workers: first answer {Median(first):0.00} s (target below {FirstAnswerTarget:0}), makespan {Median(cold):0.00} s");
        Line($"  workers started beforehand: makespan {Median(warm):0.00} s; from zero = {ratio:0.00} of it (target {MakespanTarget:0.00})");
    }

    private static async Task<(double First, double Makespan)> BurstAsync(ServiceProcess service, string pictures)
    {
        Check(await LoadAsync(service, pictures, Burst, "--burst"));
        await JobAudit.CheckRunAsync(service.Client, Burst);
        var jobs = await JobsAsync(service);
        var created = jobs.Min(job => job.GetProperty("created").GetDateTimeOffset());
        var finished = jobs.Select(job => (job.GetProperty("finished").GetDateTimeOffset() - created).TotalSeconds).ToList();
        return (finished.Min(), finished.Max());
    }

    private static async Task TrickleAsync(string model, string pictures)
    {
        await using var service = await StartAsync(model, "--max-workers", "4", "--linger", "30");
        Check(await LoadAsync(service, pictures, Trickle, "--rate", "2"));
        await JobAudit.CheckRunAsync(service.Client, Trickle);
        var (launched, drained) = await MovesAsync(service);
        Console.WriteLine();
        Line($"trickle of {Trickle} pictures at 2 a second: {launched} started, {drained} let go, {Math.Max(0, launched - 1)} more than needed");
    }

    private static async Task ComingAndGoingAsync(string model, string pictures)
    {
        await using var service = await StartAsync(model, "--max-workers", "4", "--linger", "0");
        var figures = await LoadAsync(service, pictures, Stream, "--rate", "3");
        Check(figures);
        await JobAudit.CheckRunAsync(service.Client, Stream);
        var (launched, drained) = await MovesAsync(service);
        var again = (await JobsAsync(service)).Count(job => job.GetProperty("attempts").GetInt32() != 1);
        Console.WriteLine();
        Line($"workers that are let go at once, {Stream} pictures at 3 a second: {launched} started, {drained} let go; lost {figures.GetProperty("lost").GetInt32()}, doubled {figures.GetProperty("doubled").GetInt32()}, run more than once {again}");
    }

    private static Task<ServiceProcess> StartAsync(string model, params string[] arguments) =>
        ServiceProcess.StartAsync(["serve", "--model", model, "--lanes", "1", "--client-rate", "0", "--no-reuse", .. arguments]);

    private static async Task<JsonElement> LoadAsync(ServiceProcess service, string pictures, int jobs, params string[] how)
    {
        var start = ServiceProcess.StartInfo(
            ["load", "--url", service.Client.BaseAddress!.ToString(), "--images", pictures, "--jobs", jobs.ToString(CultureInfo.InvariantCulture), "--json", .. how]);
        using var load = Process.Start(start)!;
        load.ErrorDataReceived += (_, line) => Console.Error.Write(string.IsNullOrEmpty(line.Data) ? "" : line.Data + "\n");
        load.BeginErrorReadLine();
        var printed = await load.StandardOutput.ReadToEndAsync();
        await load.WaitForExitAsync();
        return JsonDocument.Parse(printed).RootElement;
    }

    private static void Check(JsonElement figures)
    {
        if (figures.GetProperty("lost").GetInt32() + figures.GetProperty("doubled").GetInt32() > 0)
            throw new BenchmarkFailedException($"Answers were lost or doubled: {figures}");
    }

    private static async Task<List<JsonElement>> JobsAsync(ServiceProcess service) =>
        [.. (await service.Client.GetFromJsonAsync<JsonElement>("/v1/jobs?limit=500")).GetProperty("jobs").EnumerateArray()];

    private static async Task<(int Launched, int Drained)> MovesAsync(ServiceProcess service)
    {
        var decisions = (await service.Client.GetFromJsonAsync<JsonElement>("/v1/scaling/decisions?limit=1000")).GetProperty("decisions").EnumerateArray()
            .Select(entry => entry.GetProperty("decision")).ToList();
        return (decisions.Sum(d => d.GetProperty("launch").GetInt32()), decisions.Sum(d => d.GetProperty("drain").GetArrayLength()));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
