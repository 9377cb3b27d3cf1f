using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Evaluate;

/// <summary>How labels in the format of COCO are read.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CocoDocument))]
internal sealed partial class CocoJson : JsonSerializerContext;
