using System.Globalization;
using System.Text;

namespace Spotter.Jobs;

/// <summary>
/// What a sender calls a picture, made harmless: for people to read and to find their pictures again by. It is never the
/// path of anything.
/// </summary>
public static class PictureName
{
    /// <summary>Longest name that is kept, in bytes of UTF-8: what file systems allow.</summary>
    public const int MostBytes = 255;

    /// <summary>
    /// The last part of a path as Windows or Unix write it, without what can't be seen and at most <see cref="MostBytes"/>
    /// long; null when nothing is left.
    /// </summary>
    public static string? Of(string? sent)
    {
        if (sent is null)
            return null;
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in sent.AsSpan(sent.AsSpan().LastIndexOfAny('/', '\\') + 1).EnumerateRunes())
        {
            if (IsInvisible(rune))
                continue;
            bytes += rune.Utf8SequenceLength;
            if (bytes > MostBytes)
                break;
            name.Append(rune);
        }
        var kept = name.ToString().Trim();
        return kept is "" or "." or ".." ? null : kept;
    }

    /// <summary>A name without its extension: <c>a.b</c> for <c>a.b.jpg</c>.</summary>
    public static string StemOf(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;

    /// <summary>Controls, what turns the direction of writing, line ends, and halves of characters.</summary>
    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        || rune == Rune.ReplacementChar;
}
