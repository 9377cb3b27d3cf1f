using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Spotter.Benchmarks.Queues;
using Spotter.EndToEnd.Harness;

namespace Spotter.Benchmarks.Growth;

/// <summary>What one gateway does over HTTP while so many jobs wait.</summary>
internal sealed class GrowthRun(ServiceProcess service, int backlog, TimeSpan duration)
{
    /// <summary>A call that takes longer is given up.</summary>
    public static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(60);

    /// <summary>The model that the jobs are for; no worker has it but the one that measures.</summary>
    public const string Model = "starter";

    private const int Clients = 16;
    private const int Page = 50;
    private const int MostCalls = 200;
    private const int LeastCalls = 3;
    private const int WarmUp = 20;

    // What the statistics say may be a little old.
    private static readonly TimeSpan StatsAge = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(6);

    /// <summary>Makes the jobs, starts a gateway on them and measures it.</summary>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(QueuePlace place, int backlog, TimeSpan duration)
    {
        if (backlog > 0)
        {
            var rate = await WaitingJobs.MakeAsync(place, Model, backlog);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{place.Name}: {backlog} jobs made, {rate:0}/s"));
        }
        await place.SettleAsync();
        var begun = Stopwatch.GetTimestamp();
        await using var service = await ServiceProcess.StartOnAsync(
            new DirectoryInfo(place.DataFolder), ["gateway", "--model", Path.Combine(BenchmarkOptions.Repository(), "models", "starter", "starter.onnx"),
            "--client-rate", "0", "--max-queued", "100000000", "--max-queue-age", "604800", .. place.GatewayArguments]);
        var start = Stopwatch.GetElapsedTime(begun);
        service.Client.Timeout = LongestCall;
        try
        {
            return [new("start until it listens, ms", start.TotalMilliseconds), .. await new GrowthRun(service, backlog, duration).MeasureAsync()];
        }
        catch (TaskCanceledException)
        {
            throw new BenchmarkFailedException($"With {backlog} jobs waiting a call took longer than {LongestCall.TotalSeconds:0} s.");
        }
    }

    private async Task<IReadOnlyList<Figure>> MeasureAsync()
    {
        await CheckWaitingAsync(backlog);
        // So that the shortest list is as long as the others.
        var job = "";
        for (var i = 0; i < Page; i++)
            job = await UploadAsync(i);
        var waiting = backlog + Page;
        await CheckWaitingAsync(waiting);
        var one = await MedianAsync($"/v1/jobs/{job}", answer => answer.GetProperty("id").GetString() == job && StateOf(answer) == "queued");
        var stats = await MedianAsync("/v1/stats", answer => answer.GetProperty("queued").GetInt64() == waiting);
        var list = await MedianAsync($"/v1/jobs?limit={Page}", answer => answer.GetProperty("jobs").GetArrayLength() == Page);
        var queued = await MedianAsync($"/v1/jobs?limit={Page}&state=queued", answer =>
            answer.GetProperty("jobs").GetArrayLength() == Page && answer.GetProperty("jobs").EnumerateArray().All(j => StateOf(j) == "queued"));

        var (uploads, rate) = await UploadsAsync();
        await CheckWaitingAsync(waiting + uploads);
        using var worker = new TakingWorker(service.Client.BaseAddress!, Model);
        var taken = await worker.TakeAsync(MostCalls, LeastCalls, duration);
        await CheckWaitingAsync(waiting + uploads - taken.Count);
        var succeeded = (await service.StatsAsync()).GetProperty("succeeded").GetInt64();
        if (succeeded != taken.Count)
            throw new BenchmarkFailedException($"{taken.Count} jobs were taken and handed in, but {succeeded} have a result.");
        return
        [
            new("uploads per second, 16 clients", rate, MoreIsBetter: true, Key: "uploadsPerSecond"),
            new("take, ms", Median(taken.Select(t => t.TakeMs)), Key: "takeMs"),
            new("finish, ms", Median(taken.Select(t => t.FinishMs))),
            new("one job, ms", one, Key: "jobMs"),
            new("stats, ms", stats, Key: "statsMs"),
            new($"list of {Page}, ms", list, Key: "listMs"),
            new($"list of {Page} that wait, ms", queued),
            new("gateway when idle, % of a core", await IdleAsync()),
            new("gateway's memory, MB", service.Memory() / 1e6, Key: "memoryMB"),
        ];
    }

    /// <summary>Sends small pictures for some seconds; how many were accepted, and how many per second.</summary>
    private async Task<(int Count, double Rate)> UploadsAsync()
    {
        var begun = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var count = 0;
            for (; Stopwatch.GetElapsedTime(begun) < duration; count++)
                await UploadAsync(client * 16 + (count % 16));
            return count;
        })));
        return (counts.Sum(), counts.Sum() / Stopwatch.GetElapsedTime(begun).TotalSeconds);
    }

    private async Task<string> UploadAsync(int shade)
    {
        using var content = new ByteArrayContent(Pictures.Png((byte)shade));
        content.Headers.ContentType = new("image/png");
        using var answer = await service.Client.PostAsync(new Uri("/v1/jobs?model=" + Model, UriKind.Relative), content);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new BenchmarkFailedException($"An upload was answered {(int)answer.StatusCode}, not 202.");
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString()!;
    }

    /// <summary>The median of a call in milliseconds; each answer has to be the one that is meant.</summary>
    private async Task<double> MedianAsync(string call, Func<JsonElement, bool> isMeant)
    {
        var times = new List<double>();
        var warm = Stopwatch.GetTimestamp();
        for (var i = 0; i < WarmUp && Stopwatch.GetElapsedTime(warm) < duration / 4; i++)
            await service.Client.GetStringAsync(new Uri(call, UriKind.Relative));
        var begun = Stopwatch.GetTimestamp();
        while (times.Count < LeastCalls || (times.Count < MostCalls && Stopwatch.GetElapsedTime(begun) < duration))
        {
            var at = Stopwatch.GetTimestamp();
            var text = await service.Client.GetStringAsync(new Uri(call, UriKind.Relative));
            times.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
            using var answer = JsonDocument.Parse(text);
            if (!isMeant(answer.RootElement))
                throw new BenchmarkFailedException($"GET {call} with {backlog} jobs waiting was answered with something else: {text[..Math.Min(text.Length, 300)]}");
        }
        return Median(times);
    }

    /// <summary>The share of a core that the gateway takes when nobody wants anything, in percent.</summary>
    private async Task<double> IdleAsync()
    {
        // After a load the runtime goes on compiling for a few seconds what was run often.
        await Task.Delay(Settling, TimeProvider.System);
        var before = service.ProcessorTime().Gateway;
        await Task.Delay(Idle, TimeProvider.System);
        return 100 * (service.ProcessorTime().Gateway - before) / Idle;
    }

    private async Task CheckWaitingAsync(long wanted)
    {
        var begun = Stopwatch.GetTimestamp();
        long waiting;
        while ((waiting = (await service.StatsAsync()).GetProperty("queued").GetInt64()) != wanted)
        {
            if (Stopwatch.GetElapsedTime(begun) > StatsAge)
                throw new BenchmarkFailedException($"{wanted} jobs should wait, but {waiting} do.");
            await Task.Delay(Glance, TimeProvider.System);
        }
    }

    private static string? StateOf(JsonElement job) => job.GetProperty("state").GetString();

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
