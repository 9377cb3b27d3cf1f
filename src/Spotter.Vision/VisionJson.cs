using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Vision;

/// <summary>How results and what engines are told are written as JSON: camel case, no reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = false)]
[JsonSerializable(typeof(VisionResult))]
[JsonSerializable(typeof(VisionParameters))]
[JsonSerializable(typeof(JobTimings))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(IReadOnlyList<ModelInfo>))]
public sealed partial class VisionJson : JsonSerializerContext;
