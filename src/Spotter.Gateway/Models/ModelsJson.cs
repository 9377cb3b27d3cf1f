using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Gateway.Models;

/// <summary>How answers about models are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(LowerCaseEnumConverter<ModelState>)])]
[JsonSerializable(typeof(ModelsView))]
[JsonSerializable(typeof(EnginesView))]
public sealed partial class ModelsJson : JsonSerializerContext;
