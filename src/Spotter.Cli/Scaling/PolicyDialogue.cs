using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Cli.Scaling;

/// <summary>A policy on its own, for simulators in any language: settings, then observations in, a decision out for each.</summary>
internal sealed class PolicyDialogue(TextReader input, TextWriter output)
{
    private const double LongestSeconds = 1e9; // thirty years, and no overflow anywhere

    private static readonly ScaleSettings Otherwise = new();

    private int line;
    private TimeSpan time;

    /// <summary>Answers until the input ends.</summary>
    /// <exception cref="SpotterException">A line is not what it should be.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var first = await ReadAsync(PolicyJson.Default.SettingsLine, cancel);
        var policy = ScalePolicies.Create(Settings(first?.Settings ?? throw Refusal("the settings are missing")));
        while (await ReadAsync(PolicyJson.Default.ObservationLine, cancel) is { } seen)
        {
            var decided = policy.Decide(Observation(seen));
            var answer = new DecisionLine(decided.Target, decided.Launch, decided.Drain, decided.CancelDrain, decided.Reason);
            await output.WriteLineAsync(JsonSerializer.Serialize(answer, PolicyJson.Readable.DecisionLine).AsMemory(), cancel);
            await output.FlushAsync(cancel);
        }
    }

    private async Task<T?> ReadAsync<T>(JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        line++;
        if (await input.ReadLineAsync(cancel) is not { } text)
            return null;
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw Refusal("it is null");
        }
        catch (JsonException broken)
        {
            throw Refusal(broken.Path is null or "$" ? "it is no JSON object" : $"{broken.Path[2..]} is not what it should be", broken);
        }
    }

    private ScaleSettings Settings(SettingsInSeconds given) => Otherwise with
    {
        Policy = given.Policy ?? Otherwise.Policy,
        Preset = given.Preset ?? Otherwise.Preset,
        Min = given.Min ?? Otherwise.Min,
        Max = given.Max ?? Otherwise.Max,
        Lanes = given.Lanes ?? Otherwise.Lanes,
        BootPrior = Span(given.BootPrior, "bootPrior") ?? Otherwise.BootPrior,
        ServicePrior = Span(given.ServicePrior, "servicePrior") ?? Otherwise.ServicePrior,
        MinBill = Span(given.MinBill, "minBill") ?? Otherwise.MinBill,
        Tick = Span(given.Tick, "tick") ?? Otherwise.Tick,
        TargetDrain = Span(given.TargetDrain, "targetDrain"),
        Slo = Span(given.Slo, "slo") ?? Otherwise.Slo,
        Linger = Span(given.Linger, "linger") ?? Otherwise.Linger,
        DailyWorkerHours = given.DailyWorkerHours,
        PricePerHour = given.PricePerHour ?? Otherwise.PricePerHour,
    };

    private ScaleObservation Observation(ObservationLine seen)
    {
        var now = Span(seen.Time, "time") ?? throw Missing("time");
        time = now >= time ? now : throw Refusal("time goes back");
        if (seen.Queued < 0 || seen.Running < 0 || seen.Arrived < 0)
            throw Refusal("queued, running and arrived can't be negative");
        if (seen.CpuLoad is < 0 or > 1)
            throw Refusal("cpuLoad is not from 0 to 1");
        return new()
        {
            Time = now,
            Queued = seen.Queued,
            Running = seen.Running,
            Arrived = seen.Arrived ?? throw Missing("arrived"),
            Workers = [.. (seen.Workers ?? throw Missing("workers")).Select(Worker)],
            Served = Seconds(seen.Served, "served").Aggregate(default(ServedJobs), (sum, seconds) => sum + ServedJobs.One(seconds)),
            BootedSeconds = Seconds(seen.Booted, "booted"),
            CpuLoad = seen.CpuLoad,
        };
    }

    private WorkerView Worker(WorkerLine? worker) => new(
        worker?.Id ?? throw Missing("a worker's id"),
        worker.State ?? throw Missing("a worker's state"),
        Span(worker.Age, "age") ?? throw Missing("a worker's age"),
        Span(worker.StateAge, "stateAge") ?? throw Missing("a worker's stateAge"));

    private IReadOnlyList<double> Seconds(IReadOnlyList<double>? given, string name)
    {
        foreach (var seconds in given ?? [])
            Span(seconds, name);
        return given ?? [];
    }

    private TimeSpan? Span(double? seconds, string name) => seconds switch
    {
        null => null,
        >= 0 and <= LongestSeconds => TimeSpan.FromSeconds(seconds.Value),
        _ => throw Refusal($"{name} is not a number of seconds from 0 to {LongestSeconds:0}"),
    };

    private SpotterException Missing(string name) => Refusal($"{name} is missing");

    private SpotterException Refusal(string what, Exception? cause = null) =>
        new(ErrorCodes.InvalidRequest, $"Line {line} can't be answered because {what}; docs/scaling-policy.md says what it should be.", cause);
}
