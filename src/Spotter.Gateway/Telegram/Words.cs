using System.Globalization;
using System.Text;
using Spotter.Jobs;

namespace Spotter.Gateway.Telegram;

/// <summary>What the bot says. Nothing is marked up, so no label and no name can be read as markup.</summary>
internal static class Words
{
    /// <summary>Longest caption of a picture, in UTF-16 units.</summary>
    public const int LongestCaption = 1024;

    private const int MostLabels = 5;

    /// <summary>Longest text of a message.</summary>
    public const int LongestText = 4096;

    public const string Waiting = "Processing, please wait...";
    public const string NoText = "None user message received";
    public const string NotDownloaded = "Was unable to download image from Bot.";
    public const string Cancelled = "Cancelled.";
    public const string NothingFound = "No objects were found in this picture.";

    public const string Help = """
        Welcome to the Image Processing Bot!

        Send a picture and write into its caption what to do with it:

        1. Blur - blurs the picture; with a level, as: blur 10
        2. Contour - shows the edges of what is in it
        3. Rotate - turns it clockwise by 90 degrees; or as: rotate anti-clockwise 180
        4. Salt and pepper - sprinkles white and black pixels; with a share, as: salt and pepper 0.1
        5. Concat - joins the pictures of an album; with a direction and sides, as: concat vertical bottom-to-top
        6. Segment - makes bright pixels white and dark ones black
        7. Predict - finds objects; with a model or a confidence, as: predict 0.5

        A picture sent as a file keeps its full size. /models lists the models, /queue says how many pictures wait, and /cancel cancels yours.
        """;

    /// <summary>What went wrong, in the words of the bot.</summary>
    public static string Error(string what) => Cut($"An error has occurred:\n{what}\nPlease try again.", LongestText);

    /// <summary>What was found, as under a picture: counts of labels in the order in which they come, or what a picture shows.</summary>
    public static string Found(Job job)
    {
        if (job.Result is null)
            return NothingFound;
        var found = PictureResult.Of(job);
        if (found.Detections is { Count: > 0 } objects)
            return $"Detected Objects:\n{string.Concat(objects.CountBy(o => o.Label, StringComparer.Ordinal).Select(c => $"{Capital(c.Key)}: {c.Value}\n"))}";
        if (found.Reading is { Text.Length: > 0 } reading)
            return $"Text:\n{Plain(reading.Text)}\n";
        return found.Labels is { Count: > 0 } labels
            ? $"Classification result:\n{string.Concat(labels.Take(MostLabels).Select(l => string.Create(CultureInfo.InvariantCulture, $"{Capital(l.Label)}: {l.Confidence * 100:0.#} %\n")))}"
            : NothingFound;
    }

    /// <summary>A text of at most so many UTF-16 units, cut between characters as people see them.</summary>
    public static string Cut(string text, int longest)
    {
        if (text.Length <= longest)
            return text;
        var kept = 0;
        while (StringInfo.GetNextTextElementLength(text, kept) is var next && kept + next <= longest - 1)
            kept += next;
        return $"{text.AsSpan(0, kept)}…";
    }

    /// <summary>A name without what would make it look like something else: control characters, and those that turn the direction of writing.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format))
                plain.Append(rune);
        }
        return plain.ToString();
    }

    private static string Capital(string label)
    {
        var plain = Plain(label);
        return plain.Length > 0 && Rune.TryGetRuneAt(plain, 0, out var first)
            ? $"{Rune.ToUpperInvariant(first)}{plain.AsSpan(first.Utf16SequenceLength)}"
            : "?";
    }
}
