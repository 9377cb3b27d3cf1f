namespace Spotter.Vision.Models;

/// <summary>What each column of a text reader's scores stands for.</summary>
/// <param name="Characters">A character, or several that are one, for each column.</param>
/// <param name="Blank">The column that says that there is none, and which parts two of the same.</param>
internal sealed record CharacterSet(IReadOnlyList<string> Characters, int Blank)
{
    // How dictionaries that list the blank call it.
    private static readonly string[] BlankNames = ["blank", "[blank]", "<blank>"];

    /// <summary>
    /// From a dictionary to columns: PaddleOCR's dictionaries have neither the blank nor, often, the space that comes after all others.
    /// </summary>
    /// <param name="dictionary">The characters, in their order.</param>
    /// <param name="columns">Columns that are scored.</param>
    /// <param name="isBlankLast">The blank is the last column and not the first, where the dictionary does not list it.</param>
    /// <returns>Null when there are as many that they can't be matched.</returns>
    public static CharacterSet? Of(IReadOnlyList<string> dictionary, int columns, bool isBlankLast)
    {
        if (ListedBlank(dictionary) is { } listed && dictionary.Count == columns)
            return new([.. dictionary.Select((character, i) => i == listed ? "" : character)], listed);
        List<string> characters = [.. dictionary, .. columns - dictionary.Count == 2 ? [" "] : Array.Empty<string>()];
        if (characters.Count != columns - 1)
            return null;
        characters.Insert(isBlankLast ? characters.Count : 0, "");
        return new(characters, isBlankLast ? columns - 1 : 0);
    }

    /// <summary>Where a dictionary lists the blank: first or last; null when it does not.</summary>
    public static int? ListedBlank(IReadOnlyList<string> dictionary) =>
        dictionary is [var first, ..] && BlankNames.Contains(first, StringComparer.OrdinalIgnoreCase) ? 0
        : dictionary is [.., var last] && BlankNames.Contains(last, StringComparer.OrdinalIgnoreCase) ? dictionary.Count - 1 : null;

    /// <summary>Whether a dictionary can be that of so many columns.</summary>
    public static bool CanBe(int characters, long columns) => columns - characters is 0 or 1 or 2;

    /// <summary>
    /// A dictionary as text: a character on each line, of which nothing is trimmed, as spaces are characters too; or, on one line, one after
    /// the other.
    /// </summary>
    public static IReadOnlyList<string> Parse(string text)
    {
        var lines = text.Split('\n').Select(line => line.TrimEnd('\r')).ToList();
        if (lines is [.., ""])
            lines.RemoveAt(lines.Count - 1);
        return lines is [{ Length: > 1 } only] ? [.. only.EnumerateRunes().Select(rune => rune.ToString())] : lines;
    }
}
