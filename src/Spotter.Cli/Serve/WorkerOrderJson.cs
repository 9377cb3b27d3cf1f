using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Engines.Running;

namespace Spotter.Cli.Serve;

/// <summary>How orders to workers are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<WantedModel>))]
internal sealed partial class WorkerOrderJson : JsonSerializerContext;
