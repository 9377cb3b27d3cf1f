using System.Buffers;
using System.Globalization;
using System.Text;

namespace Spotter.Cli;

/// <summary>
/// Text that a terminal only shows. What comes from elsewhere (catalogues, models, file names, other servers) may hold characters
/// that command it: to clear the screen, to write over what is there, to turn the direction of the text around.
/// </summary>
internal static class PlainText
{
    /// <summary>Stands for a character that would command the terminal.</summary>
    public const char Instead = '?';

    // The controls of ASCII and of Latin-1, Unicode's line breaks, and what changes the direction of text.
    private static readonly SearchValues<char> Commands = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0x20).Append(0x7f).Concat(Enumerable.Range(0x80, 0x20)).Select(c => (char)c),
        '\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069',
    ]);

    /// <summary>A text as part of a line: line breaks become spaces.</summary>
    public static string OneLine(string text) =>
        Harmless(string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)), keepLines: false);

    /// <summary>Lines of text, with their line breaks and tabs.</summary>
    public static string Lines(string text) => Harmless(text, keepLines: true);

    /// <summary>JSON that says the same with such characters escaped: they stand only within its strings.</summary>
    public static string Json(string json)
    {
        if (!json.AsSpan().ContainsAny(Commands))
            return json;
        var plain = new StringBuilder(json.Length);
        foreach (var c in json)
        {
            if (IsCommand(c))
                plain.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                plain.Append(c);
        }
        return plain.ToString();
    }

    /// <summary>Whether a character of lines would command the terminal.</summary>
    public static bool IsCommand(char c) => Commands.Contains(c) && c is not ('\n' or '\t') && !(c == '\r' && OperatingSystem.IsWindows());

    private static string Harmless(string text, bool keepLines)
    {
        if (!text.AsSpan().ContainsAny(Commands))
            return text;
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
            plain.Append(Commands.Contains(c) && (!keepLines || IsCommand(c)) ? Instead : c);
        return plain.ToString();
    }
}
