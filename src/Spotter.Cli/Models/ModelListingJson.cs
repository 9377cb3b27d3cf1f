using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Models;

/// <summary>How a listing passes from one process to another.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ModelListing))]
internal sealed partial class ModelListingJson : JsonSerializerContext;
