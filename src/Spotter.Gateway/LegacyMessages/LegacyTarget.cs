using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>Where the result of a message goes: stored with its job.</summary>
/// <param name="Id">The id of the result: the message's, or the one that it gave.</param>
/// <param name="Chat">The chat; 0 where the service has none.</param>
/// <param name="Picture">The picture's name.</param>
/// <param name="ETag">Tells which content under that name it was.</param>
internal sealed record LegacyTarget(string Id, long Chat, string Picture, string ETag = "")
{
    /// <summary>As it is stored.</summary>
    public string Write() => JsonSerializer.Serialize(this, LegacyTargetJson.Default.LegacyTarget);

    /// <summary>As it was stored.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    public static LegacyTarget Read(string text) => JsonSerializer.Deserialize(text, LegacyTargetJson.Default.LegacyTarget) ?? throw new JsonException("null is no target.");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(LegacyTarget))]
internal sealed partial class LegacyTargetJson : JsonSerializerContext;
