using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Names a job: a UUID of version 7 as 32 lower-case hexadecimal digits. It begins with the time, so that an index over ids
/// grows at its end and a new job changes no page that others don't; 74 random bits keep it from being guessed.
/// </summary>
[JsonConverter(typeof(JobIdConverter))]
public readonly record struct JobId
{
    /// <summary>Number of digits.</summary>
    public const int Length = 32;

    private const int TimeDigits = 12;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private readonly string? value;

    private JobId(string value) => this.value = value;

    /// <summary>The digits.</summary>
    public string Value => value ?? throw new InvalidOperationException("A default JobId names no job.");

    /// <summary>When it was made, to the millisecond; the last of all times for digits that were made in no time.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(
        Math.Min(long.Parse(Value.AsSpan(0, TimeDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    /// <summary>A new id.</summary>
    public static JobId New(RandomSource random, TimeProvider time)
    {
        Span<byte> bytes = stackalloc byte[Length / 2];
        random.Fill(bytes);
        // As RFC 9562 has it: 48 bits of milliseconds, the version, the variant.
        var (version, variant) = ((byte)(0x70 | (bytes[6] & 0x0f)), (byte)(0x80 | (bytes[8] & 0x3f)));
        BinaryPrimitives.WriteInt64BigEndian(bytes, (time.GetUtcNow().ToUnixTimeMilliseconds() << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]));
        (bytes[6], bytes[8]) = (version, variant);
        return new(Convert.ToHexStringLower(bytes));
    }

    /// <summary>No shorter beginning of an id stands for it.</summary>
    public const int ShortestPrefix = 4;

    /// <summary>True for what may be the beginning of an id and can stand for it: <see cref="ShortestPrefix"/> digits or more, but not all.</summary>
    public static bool IsPrefix([NotNullWhen(true)] string? text) => text is { Length: >= ShortestPrefix and < Length } && !text.AsSpan().ContainsAnyExcept(Digits);

    /// <summary>The first and the last id that begin with these digits.</summary>
    public static (JobId First, JobId Last) RangeOf(string prefix) => (Parse(prefix.PadRight(Length, '0')), Parse(prefix.PadRight(Length, 'f')));

    /// <summary>The first and the last id that can be made from a time on and before another one.</summary>
    public static (JobId First, JobId Last) RangeOf(DateTimeOffset from, DateTimeOffset before) =>
        (RangeOf(DigitsOf(from.ToUnixTimeMilliseconds())).First, RangeOf(DigitsOf(before.ToUnixTimeMilliseconds() - 1)).Last);

    private static string DigitsOf(long milliseconds) => milliseconds.ToString($"x{TimeDigits}", CultureInfo.InvariantCulture);

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
