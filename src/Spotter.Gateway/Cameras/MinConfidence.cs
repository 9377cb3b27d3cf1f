using System.Globalization;
using Spotter.Core;

namespace Spotter.Gateway.Cameras;

/// <summary>
/// Reads <c>min_confidence</c> as programs send it. What can be meant in one way is read so; for anything else there is a
/// sentence. A threshold that was misread would find everything or nothing, and nobody would notice.
/// </summary>
internal static class MinConfidence
{
    /// <summary>DeepStack's and CodeProject.AI's default. Also what 0 means: programs send it where nothing was entered.</summary>
    public const double Default = 0.4;

    private const int MostShown = 20;

    /// <summary>The threshold that was asked for.</summary>
    /// <param name="given">The texts of the field, under each of its names; empty ones say nothing.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is no number from 0 to 1, or several.</exception>
    public static double Read(IEnumerable<string> given) =>
        given.Where(text => !string.IsNullOrWhiteSpace(text)).Select(ReadOne).Distinct().ToList() switch
        {
            [] => Default,
            [var only] => only,
            var several => throw Invalid($"min_confidence comes several times, as {string.Join(" and ", several.Select(Text))}; send it once."),
        };

    private static double ReadOne(string text)
    {
        // Where numbers are written with a comma, programs send them so.
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent;
        var shown = text.Trim() is { Length: <= MostShown } all ? all : text.Trim()[..MostShown] + "…";
        if (!double.TryParse(text.Trim().Replace(',', '.'), Style, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            throw Invalid($"min_confidence is '{shown}', which is no number; send one from 0 to 1, as 0.45.");
        return value switch
        {
            > 1 and <= 100 => throw Invalid($"min_confidence is {shown}, and goes from 0 to 1; if you mean {shown} percent, send {Text(value / 100)}."),
            < 0 or > 1 => throw Invalid($"min_confidence is {shown}; send a number from 0 to 1, as 0.45."),
            0 => Default,
            _ => value,
        };
    }

    /// <summary>A threshold in the words of answers.</summary>
    public static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
