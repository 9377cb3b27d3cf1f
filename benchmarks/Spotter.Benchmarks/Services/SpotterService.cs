using System.Globalization;

namespace Spotter.Benchmarks.Services;

/// <summary>Our service with a fixed number of workers.</summary>
internal sealed class SpotterService : IPictureService
{
    // A job's timings count the time in which its thread waited for a core, too.
    private const double LeastShareOfModel = 0.25;

    private readonly ServiceProcess service;

    private SpotterService(ServiceProcess service) => this.service = service;

    public string Name => "Spotter";

    public HttpClient Client => service.Client;

    /// <summary>See <see cref="ServiceProcess.PeakMemory"/>.</summary>
    public (long Gateway, long Workers) PeakMemory() => service.PeakMemory();

    /// <summary>Where it keeps what it is sent.</summary>
    public DirectoryInfo Data => service.Data;

    /// <summary>Starts one and waits for its workers.</summary>
    /// <param name="model">The model.</param>
    /// <param name="workers">Workers of one lane each; 0 for one that comes with the first picture.</param>
    public static async Task<SpotterService> StartAsync(string model, int workers)
    {
        // With none at first, one comes when it is needed.
        var (least, most) = (workers.ToString(CultureInfo.InvariantCulture), Math.Max(1, workers).ToString(CultureInfo.InvariantCulture));
        var started = await ServiceProcess.StartAsync(
            "serve", "--model", model, "--min-workers", least, "--max-workers", most, "--lanes", "1", "--client-rate", "0");
        await started.UntilAsync(s => s.GetProperty("idle").GetInt32() == workers);
        return new SpotterService(started);
    }

    public Uri AddressFor(bool annotate) =>
        new(annotate ? "/v1/jobs?reuse=false&annotate=true" : "/v1/jobs?reuse=false", UriKind.Relative);

    public async Task<long> SucceededAsync() => (await service.StatsAsync()).GetProperty("succeeded").GetInt64();

    public (TimeSpan Gateway, TimeSpan Workers) ProcessorTime() => service.ProcessorTime();

    public async Task CheckAsync(IReadOnlyList<string> jobs, byte[] picture, bool annotate)
    {
        var model = await JobAudit.CheckRunAsync(Client, jobs, annotate);
        if (OperatingSystem.IsLinux() && ProcessorTime().Workers < LeastShareOfModel * model)
            throw new BenchmarkFailedException($"The jobs say that their models took {model.TotalSeconds:0.0} s, but the workers have used only {ProcessorTime().Workers.TotalSeconds:0.0} s of processor time.");
        await JobAudit.CheckBytesAsync(Client, Data, jobs, picture);
    }

    public ValueTask DisposeAsync() => service.DisposeAsync();
}
