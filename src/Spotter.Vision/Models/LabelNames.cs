using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spotter.Core;

namespace Spotter.Vision.Models;

/// <summary>
/// Class names as model files carry them: a Python dictionary <c>{0: 'person', 1: "driver's seat"}</c>, a list of texts, names
/// with their numbers, in Python's or JSON's spelling, either of them as a text within a list; or a name per line, or between commas.
/// </summary>
internal static class LabelNames
{
    /// <summary>Far more classes than any detector has; a bound for files that lie.</summary>
    public const int MaxClasses = ModelInfo.MostLabels;

    /// <summary>Longest name of a class, in characters: the same.</summary>
    public const int LongestName = ModelInfo.LongestLabel;

    private static readonly SearchValues<char> Punctuation = SearchValues.Create("{}[]'\"");

    /// <summary>The names indexed by class id; null when there are none or they can't be read.</summary>
    public static IReadOnlyList<string>? Parse(string? notes)
    {
        // A list that holds a list or a dictionary as one text is what some exporters make of it; no deeper.
        for (var depth = 0; depth < 3; depth++)
        {
            if (string.IsNullOrWhiteSpace(notes))
                return null;
            var names = Json(notes) ?? Python(notes) ?? Plain(notes);
            if (names is [var only] && only is ['{' or '[', .., '}' or ']'])
                notes = only;
            else
                return names;
        }
        return null;
    }

    private static IReadOnlyList<string>? Json(string notes)
    {
        if (notes.AsSpan().Trim() is not ['{' or '[', .., '}' or ']'])
            return null;
        try
        {
            using var document = JsonDocument.Parse(notes, new JsonDocumentOptions { AllowTrailingCommas = true });
            return FromJson(document.RootElement);
        }
        catch (Exception unlike) when (unlike is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static IReadOnlyList<string>? FromJson(JsonElement names)
    {
        var found = new SortedDictionary<int, string>();
        if (names.ValueKind == JsonValueKind.Object)
        {
            foreach (var entry in names.EnumerateObject())
            {
                if (entry.Value.ValueKind == JsonValueKind.String && Number(entry.Name) is { } key)
                    found[key] = entry.Value.GetString()!;
                else if (entry.Value.ValueKind == JsonValueKind.Number && Number(entry.Value.GetRawText()) is { } value)
                    found[value] = entry.Name;
                else
                    return null;
            }
            return Dense(found);
        }
        foreach (var entry in names.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.String)
                found[found.Count] = entry.GetString()!;
            else if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && entry.TryGetProperty("id", out var id) && Number(id.GetRawText()) is { } key)
                found[key] = name.GetString()!;
            else
                return null;
        }
        return Dense(found);
    }

    private static IReadOnlyList<string>? Python(string notes)
    {
        if (!notes.AsSpan().ContainsAny('\'', '"'))
            return null;
        var names = new SortedDictionary<int, string>();
        int? key = null;
        string? named = null;
        var next = 0;
        for (var at = 0; at < notes.Length;)
        {
            var c = notes[at];
            if (char.IsAsciiDigit(c))
            {
                var end = at;
                while (end < notes.Length && char.IsAsciiDigit(notes[end]))
                    end++;
                if (Number(notes.AsSpan(at, end - at)) is not { } number)
                    return null;
                at = end;
                if (named is not null)
                    (names[number], named) = (named, null);
                else
                    key = number;
            }
            else if (c is '\'' or '"')
            {
                if (Text(notes, ref at) is not { } text)
                    return null;
                if (key is null && IsKey(notes, at))
                {
                    // A quoted number before a colon is JSON's spelling of a key; else the name comes before its number.
                    if (Number(text) is { } quoted)
                        key = quoted;
                    else
                        named = text;
                    continue;
                }
                if (key is null && next >= MaxClasses)
                    return null;
                names[key ?? next] = text;
                next = (key ?? next) + 1;
                key = null;
            }
            else
            {
                at++;
            }
        }
        return Dense(names);
    }

    /// <summary>A name per line, or between commas, with nothing around it.</summary>
    private static IReadOnlyList<string>? Plain(string notes)
    {
        if (notes.AsSpan().ContainsAny(Punctuation))
            return null;
        var names = notes.Trim().Split(notes.Trim().Contains('\n', StringComparison.Ordinal) ? '\n' : ',', StringSplitOptions.TrimEntries);
        return names.Length <= MaxClasses && Array.TrueForAll(names, n => n.Length > 0) ? names : null;
    }

    private static List<string>? Dense(SortedDictionary<int, string> names) => names.Count == 0
        ? null
        : [.. Enumerable.Range(0, names.Keys.Max() + 1).Select(i => names.TryGetValue(i, out var name) ? name : Unnamed(i))];

    private static int? Number(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < MaxClasses ? number : null;

    /// <summary>The name of a class that has none.</summary>
    public static string Unnamed(int classId) => string.Create(CultureInfo.InvariantCulture, $"class {classId}");

    private static bool IsKey(string notes, int at) => notes.AsSpan(at).TrimStart().StartsWith(":");

    /// <summary>A text in Python's quotes, with its escapes.</summary>
    private static string? Text(string notes, ref int at)
    {
        var quote = notes[at++];
        var text = new StringBuilder();
        while (at < notes.Length && notes[at] != quote)
        {
            if (notes[at] != '\\' || at + 1 >= notes.Length)
            {
                text.Append(notes[at++]);
                continue;
            }
            var digits = notes[at + 1] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0 && at + 2 + digits <= notes.Length
                && int.TryParse(notes.AsSpan(at + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && code is >= 0 and <= 0x10FFFF)
            {
                // Halves of a pair come one after the other.
                text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                at += 2 + digits;
                continue;
            }
            text.Append(notes[at + 1] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', var itself => itself });
            at += 2;
        }
        return at++ < notes.Length ? text.ToString() : null;
    }
}
