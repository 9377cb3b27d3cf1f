using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Catalogue;

/// <summary>How the catalogue is read, and how a service tells of it.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CatalogueDocument))]
[JsonSerializable(typeof(CatalogueView))]
[JsonSerializable(typeof(CatalogueOffer))]
[JsonSerializable(typeof(PullRequest))]
internal sealed partial class CatalogueJson : JsonSerializerContext;
