using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Gateway;

/// <summary>How refusals are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ProblemJson : JsonSerializerContext;
