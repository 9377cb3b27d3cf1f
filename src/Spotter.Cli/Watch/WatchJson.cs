using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Watch;

/// <summary>How results are written for a broker.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(WatchResult))]
[JsonSerializable(typeof(string))]
internal sealed partial class WatchJson : JsonSerializerContext;
