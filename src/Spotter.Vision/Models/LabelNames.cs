using System.Globalization;
using System.Text;
using Spotter.Core;

namespace Spotter.Vision.Models;

/// <summary>
/// Class names as model files carry them: a Python dictionary <c>{0: 'person', 1: "driver's seat"}</c> or a list of
/// texts, in Python's or JSON's spelling.
/// </summary>
internal static class LabelNames
{
    /// <summary>Far more classes than any detector has; a bound for files that lie.</summary>
    public const int MaxClasses = ModelInfo.MostLabels;

    /// <summary>Longest name of a class, in characters: the same.</summary>
    public const int LongestName = ModelInfo.LongestLabel;

    /// <summary>The names indexed by class id; null when there are none or they can't be read.</summary>
    public static IReadOnlyList<string>? Parse(string? notes)
    {
        if (string.IsNullOrWhiteSpace(notes))
            return null;
        var names = new SortedDictionary<int, string>();
        int? key = null;
        var next = 0;
        for (var at = 0; at < notes.Length;)
        {
            var c = notes[at];
            if (char.IsAsciiDigit(c))
            {
                var end = at;
                while (end < notes.Length && char.IsAsciiDigit(notes[end]))
                    end++;
                if (!int.TryParse(notes.AsSpan(at, end - at), CultureInfo.InvariantCulture, out var number) || number >= MaxClasses)
                    return null;
                key = number;
                at = end;
            }
            else if (c is '\'' or '"')
            {
                if (Text(notes, ref at) is not { } text)
                    return null;
                // A quoted number before a colon is JSON's spelling of a key.
                if (key is null && IsKey(notes, at) && int.TryParse(text, CultureInfo.InvariantCulture, out var quoted) && quoted is >= 0 and < MaxClasses)
                {
                    key = quoted;
                    continue;
                }
                names[key ?? next] = text;
                next = (key ?? next) + 1;
                key = null;
            }
            else
            {
                at++;
            }
        }
        if (names.Count == 0)
            return null;
        return [.. Enumerable.Range(0, names.Keys.Max() + 1).Select(i => names.TryGetValue(i, out var name) ? name : Unnamed(i))];
    }

    /// <summary>The name of a class that has none.</summary>
    public static string Unnamed(int classId) => string.Create(CultureInfo.InvariantCulture, $"class {classId}");

    private static bool IsKey(string notes, int at) => notes.AsSpan(at).TrimStart().StartsWith(":");

    private static string? Text(string notes, ref int at)
    {
        var quote = notes[at++];
        var text = new StringBuilder();
        while (at < notes.Length && notes[at] != quote)
        {
            if (notes[at] == '\\' && at + 1 < notes.Length)
                at++;
            text.Append(notes[at++]);
        }
        return at++ < notes.Length ? text.ToString() : null;
    }
}
