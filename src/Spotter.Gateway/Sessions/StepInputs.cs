using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Sessions;

/// <summary>An input of a step's job.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Type">Its media type; null to have it judged.</param>
/// <param name="Bytes">Its bytes; null for a file that a job has made.</param>
/// <param name="Made">That file.</param>
internal sealed record StepInput(string Name, string? Type, byte[]? Bytes, SessionItem.Made? Made);

/// <summary>
/// What comes through the inputs of a step, as its engine takes it. An engine that takes <c>application/json</c> gets one document with
/// all of its channels by their names, and after it the files. Any other gets the files as its inputs, and the members of what comes
/// through channels of type JSON as its options.
/// </summary>
internal static class StepInputs
{
    private const string Document = "application/json";
    private const string DataAddress = "data:";

    /// <summary>True for an engine that takes its channels as a document.</summary>
    public static bool TakesDocuments(this IOfferedEngine engine) => engine.Limits.MediaTypes.Contains(Document, StringComparer.Ordinal);

    /// <summary>The inputs of the step's jobs; its options are set in the form.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: they can't be.</exception>
    public static IReadOnlyList<StepInput> Of(IOfferedEngine engine, GraphStep step, IReadOnlyList<IReadOnlyList<SessionItem>> items, IReadOnlyList<string> types, JobForm form)
    {
        var files = new List<StepInput>();
        var document = engine.TakesDocuments() ? new MemoryStream() : null;
        using (var writer = document is null ? null : new Utf8JsonWriter(document))
        {
            writer?.WriteStartObject();
            foreach (var (i, port) in step.Inputs.Index())
            {
                if (types[i] == ChannelTypes.Json && writer is null)
                {
                    foreach (var value in items[i].OfType<SessionItem.Value>())
                        SetOptions(form, port, value.Json);
                    continue;
                }
                if (types[i] == ChannelTypes.Json)
                {
                    writer!.WritePropertyName(port.Name);
                    WriteValues(writer, [.. items[i].OfType<SessionItem.Value>()]);
                    continue;
                }
                // The document is the first input.
                var first = files.Count + (writer is null ? 0 : 1);
                files.AddRange(items[i].SelectMany(item => FilesOf(port, item)));
                if (writer is null)
                    continue;
                writer.WriteStartObject(port.Name);
                writer.WriteStartArray("inputs");
                for (var n = first; n <= files.Count; n++)
                    writer.WriteNumberValue(n);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer?.WriteEndObject();
        }
        if (document is not null)
            files.Insert(0, new StepInput("channels.json", Document, document.ToArray(), null));
        if (files.Count == 0)
            throw Invalid($"No file has come to the engine '{engine.Name}', which takes {string.Join(", ", engine.Limits.MediaTypes)}; give it a channel of type {ChannelTypes.Image} or {ChannelTypes.File}.");
        return files.Count <= SessionSteps.MostInputs ? files
            : throw Invalid(string.Create(CultureInfo.InvariantCulture, $"{files.Count} files have come to the engine '{engine.Name}'; a step takes at most {SessionSteps.MostInputs}."));
    }

    /// <summary>What came as one is one; else it is a list.</summary>
    private static void WriteValues(Utf8JsonWriter writer, List<SessionItem.Value> values)
    {
        if (values.Count == 1)
        {
            writer.WriteRawValue(values[0].Json.Utf8.Span);
            return;
        }
        writer.WriteStartArray();
        foreach (var value in values)
            writer.WriteRawValue(value.Json.Utf8.Span);
        writer.WriteEndArray();
    }

    private static void SetOptions(JobForm form, GraphPort port, RawJson json)
    {
        using var document = JsonDocument.Parse(json.Utf8);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw Invalid($"What comes through '{port.Name}' is no object; the options of the engine are its members.");
        try
        {
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.NameEquals("engine") || member.NameEquals("priority"))
                    throw Invalid($"'{member.Name}' is said by the session, and not by what comes through '{port.Name}'; leave it out there.");
                form.Set(member.Name, member.Value);
            }
        }
        catch (InvalidOperationException half)
        {
            throw HalfCharacter(port, half);
        }
    }

    private static IEnumerable<StepInput> FilesOf(GraphPort port, SessionItem item)
    {
        if (item is SessionItem.Made made)
            return [new StepInput(made.File?.Name ?? port.Name, made.Type, null, made)];
        using var document = JsonDocument.Parse(((SessionItem.Value)item).Json.Utf8);
        return [.. (document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.EnumerateArray() : Enumerable.Repeat(document.RootElement, 1)).Select(one => Decode(port, one))];
    }

    private static StepInput Decode(GraphPort port, JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
            throw Invalid($"What goes into '{port.Name}' is no text; send the bytes of the file in Base64, or a list of such texts.");
        var (base64, type) = (TextOf(port, text), (string?)null);
        if (base64.StartsWith(DataAddress, StringComparison.OrdinalIgnoreCase) && base64.IndexOf(',', StringComparison.Ordinal) is > 0 and var comma)
            (base64, type) = (base64[(comma + 1)..], base64[DataAddress.Length..comma].Split(';')[0]);
        var bytes = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(base64, bytes, out var length)
            ? new StepInput(port.Name, type, bytes[..length], null)
            : throw Invalid($"What goes into '{port.Name}' is not Base64; send the bytes of the file in Base64, with padding.");
    }

    private static string TextOf(GraphPort port, JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException half)
        {
            throw HalfCharacter(port, half);
        }
    }

    private static SpotterException HalfCharacter(GraphPort port, Exception half) =>
        new(ErrorCodes.InvalidRequest, $"What comes through '{port.Name}' has a text with half a character (a lone surrogate); send sound Unicode.", half);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
