using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Spotter.Core;

/// <summary>
/// A JSON value as its UTF-8 bytes: written once by whoever knows what is in it, and passed on as it is by everybody
/// else. Equal when the bytes are.
/// </summary>
[JsonConverter(typeof(Converter))]
public readonly struct RawJson : IEquatable<RawJson>
{
    private readonly ReadOnlyMemory<byte> utf8;

    /// <summary>Takes over bytes that are one JSON value.</summary>
    public RawJson(ReadOnlyMemory<byte> utf8) => this.utf8 = utf8;

    /// <summary>The value without members, <c>{}</c>.</summary>
    public static RawJson EmptyObject { get; } = new("{}"u8.ToArray());

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Utf8 => utf8.IsEmpty ? EmptyObject.utf8 : utf8;

    /// <summary>Writes a value.</summary>
    public static RawJson Of<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Takes over text that is one JSON value.</summary>
    public static RawJson OfText(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>Reads the value.</summary>
    /// <exception cref="JsonException">It is not of this type.</exception>
    public T Read<T>(JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(Utf8.Span, type) ?? throw new JsonException($"The value is null, where a {typeof(T).Name} was expected.");

    /// <inheritdoc/>
    public bool Equals(RawJson other) => Utf8.Span.SequenceEqual(other.Utf8.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RawJson other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Utf8.Span);
        return hash.ToHashCode();
    }

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(RawJson left, RawJson right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(RawJson left, RawJson right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);

    /// <summary>Passes the bytes on.</summary>
    public sealed class Converter : JsonConverter<RawJson>
    {
        /// <inheritdoc/>
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var value = JsonDocument.ParseValue(ref reader);
            return new(JsonMarshal.GetRawUtf8Value(value.RootElement).ToArray());
        }

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}
