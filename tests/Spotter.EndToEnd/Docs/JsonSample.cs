using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Docs;

/// <summary>JSON as the docs show it: <c>…</c> stands for what is left out.</summary>
internal static partial class JsonSample
{
    private const string Elision = "…";

    /// <summary>Reads it; what is left out is a member or an element called <c>…</c>.</summary>
    public static JsonElement Parse(string text)
    {
        // Strings first, so that the three dots in one stay its own.
        var whole = Token().Replace(text, m => m.Groups["dots"].Success ? "\"…\"" : m.Value);
        whole = ElidedMember().Replace(whole, "${before}\"…\":null");
        return JsonDocument.Parse(whole).RootElement;
    }

    /// <summary>
    /// Where a real answer differs from a sample in names or types, as sentences: an object has just the members that are
    /// shown, unless some are left out; each element of a list is as the one that is shown.
    /// </summary>
    public static IEnumerable<string> Differences(JsonElement sample, JsonElement real, string path = "")
    {
        if (sample.ValueKind is JsonValueKind.String && sample.GetString() == Elision)
            return [];
        if (KindOf(sample) != KindOf(real))
            return [$"{At(path)} is {sample.ValueKind} in the docs and {real.ValueKind} in truth: {real}"];
        return sample.ValueKind switch
        {
            JsonValueKind.Object => Members(sample, real, path),
            JsonValueKind.Array => Elements(sample, real, path),
            _ => [],
        };
    }

    private static IEnumerable<string> Members(JsonElement sample, JsonElement real, string path)
    {
        var shown = sample.EnumerateObject().Select(m => m.Name).ToHashSet(StringComparer.Ordinal);
        var elided = shown.Remove(Elision);
        foreach (var name in shown)
        {
            if (!real.TryGetProperty(name, out var value))
                yield return $"{At(path)} has no {name} in truth";
            else
            {
                foreach (var difference in Differences(sample.GetProperty(name), value, $"{path}.{name}"))
                    yield return difference;
            }
        }
        foreach (var name in real.EnumerateObject().Select(m => m.Name).Where(n => !elided && !shown.Contains(n)))
            yield return $"{At(path)} has {name} in truth, which the docs don't show";
    }

    private static IEnumerable<string> Elements(JsonElement sample, JsonElement real, string path)
    {
        var first = real.EnumerateArray().Take(1).ToList();
        var shown = sample.EnumerateArray().ToList();
        if (first.Count == 0 && shown.Count > 0 && shown.Exists(s => s.ValueKind != JsonValueKind.String || s.GetString() != Elision))
            return [$"{At(path)} is empty in truth, so the docs' elements can't be compared"];
        return shown.SelectMany(s => first.SelectMany(f => Differences(s, f, $"{path}[]")));
    }

    private static JsonValueKind KindOf(JsonElement element) => element.ValueKind is JsonValueKind.False ? JsonValueKind.True : element.ValueKind;

    private static string At(string path) => path.Length == 0 ? "the whole" : path;

    [GeneratedRegex("""("([^"\\]|\\.)*")|(?<dots>…)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Token();

    // A member has a name and a value; the dots alone, in an object, are neither.
    [GeneratedRegex("""(?<before>[{,]\s*)"…"(?=\s*})""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex ElidedMember();
}
