using Spotter.Benchmarks.Growth;
using Spotter.Benchmarks.Queues;
using Spotter.Benchmarks.Services;

namespace Spotter.Benchmarks;

/// <summary>
/// A short measurement, in which a mistake can be planted that its checks have to notice: a benchmark that measures
/// something else than it says is worse than none.
/// </summary>
internal static class SelfTest
{
    /// <summary>The mistakes: results from memory, a job that does not exist, pictures that are gone, and a queue that holds more than was put in.</summary>
    public static readonly string[] Plants = ["cache", "count", "bytes", "backlog"];

    private const int Backlog = 20;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(0.5);

    /// <param name="plant">One of <see cref="Plants"/>; null for none.</param>
    /// <exception cref="BenchmarkFailedException">The mistake was noticed.</exception>
    public static async Task RunAsync(string? plant)
    {
        if (plant is null or "backlog")
            await GrowthAsync(plant);
        if (plant is "backlog")
            return;
        var starter = Path.Combine(BenchmarkOptions.Repository(), "models", "starter");
        var picture = await File.ReadAllBytesAsync(Path.Combine(starter, "samples", "street.jpg"));
        await using var service = new PlantedService(await SpotterService.StartAsync(Path.Combine(starter, "starter.onnx"), workers: 1), plant);
        await ServiceThroughput.MeasureAsync(service, picture, workers: 1, annotate: false, allowed: 1, Duration, Duration);
    }

    private static async Task GrowthAsync(string? plant)
    {
        using var place = QueuePlace.Sqlite();
        if (plant is not null)
            await WaitingJobs.MakeAsync(place, GrowthRun.Model, 1);
        await GrowthRun.MeasureAsync(place, Backlog, Duration);
    }

    /// <summary>Our service, with a mistake in how it is measured.</summary>
    private sealed class PlantedService(SpotterService service, string? plant) : IPictureService
    {
        public string Name => service.Name;

        public HttpClient Client => service.Client;

        public Uri AddressFor(bool annotate) => plant == "cache" ? new Uri("/v1/jobs", UriKind.Relative) : service.AddressFor(annotate);

        public Task<long> SucceededAsync() => service.SucceededAsync();

        public (TimeSpan Gateway, TimeSpan Workers) ProcessorTime() => service.ProcessorTime();

        public Task CheckAsync(IReadOnlyList<string> jobs, byte[] picture, bool annotate)
        {
            foreach (var file in service.Data.EnumerateFiles("*", SearchOption.AllDirectories).Where(file => plant == "bytes" && file.Length == picture.Length))
                file.Delete();
            return service.CheckAsync(plant == "count" ? [.. jobs, "nobody"] : jobs, picture, annotate);
        }

        public ValueTask DisposeAsync() => service.DisposeAsync();
    }
}
