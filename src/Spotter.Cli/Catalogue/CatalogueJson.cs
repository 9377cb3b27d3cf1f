using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Catalogue;

/// <summary>How the catalogue is read.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CatalogueDocument))]
internal sealed partial class CatalogueJson : JsonSerializerContext;
