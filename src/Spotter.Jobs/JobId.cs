using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Names a job: 128 random bits as 32 lower-case hexadecimal digits, so that it can't be guessed.</summary>
[JsonConverter(typeof(JobIdConverter))]
public readonly record struct JobId
{
    /// <summary>Number of digits.</summary>
    public const int Length = 32;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private readonly string? value;

    private JobId(string value) => this.value = value;

    /// <summary>The digits.</summary>
    public string Value => value ?? throw new InvalidOperationException("A default JobId names no job.");

    /// <summary>A new id.</summary>
    public static JobId New(RandomSource random) => new(random.NextHex(Length / 2));

    /// <summary>Reads the digits; false if they are not an id.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        id = default;
        if (text is not { Length: Length } || text.AsSpan().ContainsAnyExcept(Digits))
            return false;
        id = new JobId(text);
        return true;
    }

    /// <summary>Reads the digits.</summary>
    /// <exception cref="FormatException">They are not an id.</exception>
    public static JobId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"'{text}' is not a job id (32 lower-case hexadecimal digits).");

    /// <inheritdoc/>
    public override string ToString() => value ?? "";

    internal sealed class JobIdConverter : JsonConverter<JobId>
    {
        public override JobId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("not a job id");

        public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Value);
    }
}
