using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>How scaling writes its records as JSON: camel case, enumerations as lower-case words, no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = false,
    Converters = [typeof(LowerCaseEnumConverter<WorkerState>), typeof(LowerCaseEnumConverter<ScalePreset>)])]
[JsonSerializable(typeof(ScaleDecision))]
[JsonSerializable(typeof(LoggedDecision))]
[JsonSerializable(typeof(ScaleMeasures))]
public sealed partial class ScalingJson : JsonSerializerContext;
