using System.Globalization;
using System.Text.RegularExpressions;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// What a caption asks for. <c>predict</c> or <c>detect</c>, with a model and a confidence if they are said, finds objects;
/// everything else is a filter in words (docs/telegram.md).
/// </summary>
/// <param name="Words">The caption, trimmed.</param>
internal sealed partial record PictureAction(string Words)
{
    // Longer ones are no filter that there is; they would only be stored.
    private const int LongestWords = 200;

    /// <summary>The action of a caption; null and empty ask for nothing.</summary>
    public static PictureAction Of(string? caption)
    {
        var words = (caption ?? "").Trim();
        return new PictureAction(Telegram.Words.Cut(words, LongestWords));
    }

    /// <summary>True when objects are to be found.</summary>
    public bool IsPrediction => Prediction().IsMatch(Words);

    /// <summary>True when several pictures become one.</summary>
    public bool Joins => !IsPrediction && (Says("concat") || Says("album"));

    /// <summary>The same action in other words is the same.</summary>
    public bool Equals(PictureAction? other) => string.Equals(Words, other?.Words, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => Words.GetHashCode(StringComparison.OrdinalIgnoreCase);

    /// <summary>The fields of a submission that do it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public JobForm ToForm(EngineCatalogue engines)
    {
        var form = new JobForm(engines);
        if (Prediction().Match(Words) is not { Success: true } asked)
        {
            form.Set("engine", "filter");
            // Words of white space say as little as none, and are refused as such.
            form.Set("caption", Words.Length == 0 ? " " : Words);
            return form;
        }
        foreach (var word in asked.Groups["rest"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (double.TryParse(word.TrimEnd('%').Replace(',', '.'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var confidence))
                form.Set("confidence", (word.EndsWith('%') || confidence > 1 ? confidence / 100 : confidence).ToString(CultureInfo.InvariantCulture));
            else
                form.Set("model", word);
        }
        form.Set("annotate", "true");
        return form;
    }

    private bool Says(string word) => Words.Contains(word, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"^(?:predict|detect)(?:\s+(?<rest>.*))?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Singleline, 1000)]
    private static partial Regex Prediction();
}
