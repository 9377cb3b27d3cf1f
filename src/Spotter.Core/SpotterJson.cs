using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core.Jobs;
using Spotter.Core.Scaling;
using Spotter.Core.Vision;
using Spotter.Core.Vision.Filters;

namespace Spotter.Core;

/// <summary>How Spotter writes its records as JSON: camel case, enumerations as lower-case words, no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = false,
    Converters = [
        typeof(LowerCaseEnumConverter<JobState>),
        typeof(LowerCaseEnumConverter<JobPriority>),
        typeof(LowerCaseEnumConverter<JobEventKind>),
        typeof(LowerCaseEnumConverter<NoticeState>),
        typeof(LowerCaseEnumConverter<WorkerState>),
        typeof(LowerCaseEnumConverter<ScalePreset>),
        typeof(LowerCaseEnumConverter<FilterKind>),
        typeof(LowerCaseEnumConverter<FilterMode>),
        typeof(LowerCaseEnumConverter<ConcatSides>),
        typeof(LowerCaseEnumConverter<Images.ImageFormat>)])]
[JsonSerializable(typeof(VisionResult))]
[JsonSerializable(typeof(JobOptions))]
[JsonSerializable(typeof(JobTimings))]
[JsonSerializable(typeof(JobError))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(IReadOnlyList<JobEvent>))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(StartedJob))]
[JsonSerializable(typeof(JobOutcome))]
[JsonSerializable(typeof(WorkerJoin))]
[JsonSerializable(typeof(WorkerWelcome))]
[JsonSerializable(typeof(WorkerTake))]
[JsonSerializable(typeof(WorkerBeat))]
[JsonSerializable(typeof(WorkerOrders))]
[JsonSerializable(typeof(WorkerFinish))]
[JsonSerializable(typeof(WorkerOutput))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(IReadOnlyList<ModelInfo>))]
[JsonSerializable(typeof(ScaleDecision))]
[JsonSerializable(typeof(LoggedDecision))]
[JsonSerializable(typeof(ScaleMeasures))]
public sealed partial class SpotterJson : JsonSerializerContext;

/// <summary>Writes an enumeration's value as its name in lower case.</summary>
public sealed class LowerCaseEnumConverter<T> : JsonStringEnumConverter<T>
    where T : struct, Enum
{
    /// <summary>Creates the converter.</summary>
    public LowerCaseEnumConverter()
        : base(new LowerCase(), allowIntegerValues: false)
    {
    }

    private sealed class LowerCase : JsonNamingPolicy
    {
#pragma warning disable CA1308 // Lower case is what the interface promises.
        public override string ConvertName(string name) => name.ToLowerInvariant();
#pragma warning restore CA1308
    }
}
