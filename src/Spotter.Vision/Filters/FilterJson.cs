using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Vision.Filters;

/// <summary>How what filters are told is written as JSON: camel case, enumerations as lower-case words, no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = false,
    Converters = [
        typeof(LowerCaseEnumConverter<FilterKind>),
        typeof(LowerCaseEnumConverter<FilterMode>),
        typeof(LowerCaseEnumConverter<ConcatSides>)])]
[JsonSerializable(typeof(FilterRequest))]
public sealed partial class FilterJson : JsonSerializerContext;
