using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Vision.Filters;

namespace Spotter.Vision;

/// <summary>How results and what engines are told are written as JSON: camel case, enumerations as lower-case words, no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = false,
    Converters = [
        typeof(LowerCaseEnumConverter<FilterKind>),
        typeof(LowerCaseEnumConverter<FilterMode>),
        typeof(LowerCaseEnumConverter<ConcatSides>)])]
[JsonSerializable(typeof(VisionResult))]
[JsonSerializable(typeof(VisionParameters))]
[JsonSerializable(typeof(FilterRequest))]
[JsonSerializable(typeof(JobTimings))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(IReadOnlyList<ModelInfo>))]
public sealed partial class VisionJson : JsonSerializerContext;
