using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Gateway.Operations;

/// <summary>How answers about the service are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StatsView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(CallerView))]
internal sealed partial class OperationsJson : JsonSerializerContext;
