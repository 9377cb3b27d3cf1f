using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Gateway.Access;

/// <summary>Writes scopes as people name them: <c>["submit", "read"]</c>.</summary>
internal sealed class KeyScopesConverter : JsonConverter<KeyScopes>
{
    public static readonly IReadOnlyList<(string Name, KeyScopes Scope)> Names =
        [("submit", KeyScopes.Submit), ("read", KeyScopes.Read), ("operate", KeyScopes.Operate)];

    public override KeyScopes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("not a list of scopes");
        var scopes = KeyScopes.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            scopes |= ScopeOf(reader.GetString()!) ?? throw new JsonException("not a scope");
        return reader.TokenType == JsonTokenType.EndArray ? scopes : throw new JsonException("not a list of scopes");
    }

    public override void Write(Utf8JsonWriter writer, KeyScopes value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var (name, scope) in Names)
        {
            if (value.HasFlag(scope))
                writer.WriteStringValue(name);
        }
        writer.WriteEndArray();
    }

    /// <summary>The scope of this name; null if there is none.</summary>
    public static KeyScopes? ScopeOf(string name) =>
        Names.FirstOrDefault(n => n.Name == name) is { Name: not null } known ? known.Scope : null;
}
