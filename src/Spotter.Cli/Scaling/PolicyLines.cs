using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Cli.Scaling;

/// <summary>The first line in. All times on these lines are seconds; what must be there is seen to by <see cref="PolicyDialogue"/>.</summary>
internal sealed record SettingsLine(SettingsInSeconds? Settings);

/// <summary><see cref="ScaleSettings"/> with times in seconds; what is left out is as it is there.</summary>
internal sealed record SettingsInSeconds
{
    public string? Policy { get; init; }

    public ScalePreset? Preset { get; init; }

    public int? Min { get; init; }

    public int? Max { get; init; }

    public int? Lanes { get; init; }

    public double? BootPrior { get; init; }

    public double? ServicePrior { get; init; }

    public double? MinBill { get; init; }

    public double? Tick { get; init; }

    public double? TargetDrain { get; init; }

    public double? Slo { get; init; }

    public double? Linger { get; init; }

    public double? DailyWorkerHours { get; init; }

    public double? PricePerHour { get; init; }
}

/// <summary>What there is to see at one moment: each further line in. Unknown counts are null or left out.</summary>
internal sealed record ObservationLine(
    double? Time, int? Queued, int? Running, long? Arrived, IReadOnlyList<WorkerLine>? Workers, IReadOnlyList<double>? Served,
    IReadOnlyList<double>? Booted, double? CpuLoad);

/// <summary>One worker.</summary>
internal sealed record WorkerLine(string? Id, WorkerState? State, double? Age, double? StateAge);

/// <summary>The answer to an observation.</summary>
internal sealed record DecisionLine(
    int Target, int Launch, IReadOnlyList<string> Drain, IReadOnlyList<string> CancelDrain, string Reason);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    Converters = [typeof(LowerCaseEnumConverter<ScalePreset>), typeof(LowerCaseEnumConverter<WorkerState>)])]
[JsonSerializable(typeof(SettingsLine))]
[JsonSerializable(typeof(ObservationLine))]
[JsonSerializable(typeof(DecisionLine))]
internal sealed partial class PolicyJson : JsonSerializerContext
{
    /// <summary>For programs and people's eyes, never for a web page: reasons stay readable.</summary>
    public static PolicyJson Readable { get; } = new(new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
