using System.Text.Json;
using Microsoft.Extensions.Logging;
using Spotter.Backends.Scaling;
using Spotter.Scaling;

namespace Spotter.Cli.Serve;

/// <summary>
/// What the service remembers of its scaling, in the folder <c>scaling</c> of the data folder: decisions, arrivals, what the
/// policy has learned, what jobs and boots take.
/// </summary>
internal sealed class ScaleRecords : IDisposable
{
    private const string Folder = "scaling";

    private readonly string folder;
    private readonly ILoggerFactory loggers;
    private readonly ArrivalFiles arrivals;
    private readonly LearnedFile measured;

    public ScaleRecords(ServiceSettings settings, TimeProvider time, ILoggerFactory loggers)
    {
        this.loggers = loggers;
        folder = Path.Combine(settings.DataFolder, Folder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (IOException full)
        {
            // A full disk keeps nothing from being served.
            StandardError.Complain($"scaling remembers nothing, as {folder} can't be made: {full.Message}");
        }
        arrivals = new ArrivalFiles(Path.Combine(folder, "arrivals"), time, loggers.CreateLogger<ArrivalFiles>());
        Meter = new ScaleMeter(arrivals);
        measured = new LearnedFile(Path.Combine(folder, "measured.json"), loggers.CreateLogger<LearnedFile>());
        if (Parse(measured.Load()) is { } known)
            Meter.Measured = known;
        Decisions = DecisionFile.Open(Path.Combine(folder, "decisions.jsonl"), loggers.CreateLogger<DecisionFile>());
    }

    public ScaleMeter Meter { get; }

    public IArrivalTrace Arrivals => arrivals;

    public DecisionLog Decisions { get; }

    public ScaleSeries Series { get; } = new();

    /// <summary>What the policy of a pool has learned; null for the only one.</summary>
    public IPolicyMemory MemoryOf(string? pool, string policy) => new LearnedFile(
        Path.Combine(folder, pool is null ? $"learned-{policy}.json" : $"learned-{pool}-{policy}.json"), loggers.CreateLogger<LearnedFile>());

    public void Dispose()
    {
        arrivals.Dispose();
        measured.Save(JsonSerializer.Serialize(Meter.Measured, ScalingJson.Default.ScaleMeasures));
    }

    private static ScaleMeasures? Parse(string? text)
    {
        try
        {
            return text is null ? null : JsonSerializer.Deserialize(text, ScalingJson.Default.ScaleMeasures);
        }
        catch (JsonException)
        {
            // Measured again soon.
            return null;
        }
    }
}
