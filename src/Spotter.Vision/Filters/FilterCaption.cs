using System.Globalization;
using Spotter.Core;

namespace Spotter.Vision.Filters;

/// <summary>
/// Reads a filter from the words under a picture, as people write them to a bot: <c>Blur 10</c>,
/// <c>rotate anti-clockwise 180</c>, <c>salt and pepper 0.1</c>, <c>concat vertical bottom-to-top</c>. Upper and lower
/// case are the same, and the filter's name may stand anywhere.
/// </summary>
public static class FilterCaption
{
    /// <summary>What to say to a caption that names no filter.</summary>
    public const string Unknown = "Invalid image action specified. Please refer to the 'help' for assistance.";

    /// <summary>What to say when there is no caption.</summary>
    public const string Missing = "Please specify an action you'd like to execute on the image.\nIf you're unsure, please refer to 'help' for assistance.";

    /// <summary>What to say to a single picture that is to be put beside others.</summary>
    public const string LoneConcat = "You need to upload more than one image in order to concat.";

    private const string BadSides = "The sides you've chosen to concatenate don't match the direction chosen. Please refer to the 'help'.";

    private static readonly string[] HorizontalSides = ["right-to-left", "left-to-right"];
    private static readonly string[] VerticalSides = ["top-to-bottom", "bottom-to-top"];

    /// <summary>The filter that a caption asks for.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>, in words for who wrote the caption.</exception>
    public static FilterRequest Parse(string caption)
    {
#pragma warning disable CA1308 // The words that are looked for are in lower case.
        var text = caption.Trim().ToLowerInvariant();
#pragma warning restore CA1308
        if (text.Length == 0)
            throw Invalid(Missing);
        if (Take(ref text, "concat") || Take(ref text, "album"))
            return Concat(text);
        if (Take(ref text, "blur"))
            return new FilterRequest { Kind = FilterKind.Blur, Level = text.Length == 0 ? 16 : FilterValues.Level(text) };
        if (Take(ref text, "contour"))
            return new FilterRequest { Kind = FilterKind.Contour };
        if (Take(ref text, "rotate"))
            return Rotate(text);
        if (Take(ref text, "salt and pepper"))
            return new FilterRequest { Kind = FilterKind.Salt, Amount = text.Length == 0 ? 0.05 : FilterValues.Amount(text) };
        if (Take(ref text, "segment"))
            return new FilterRequest { Kind = FilterKind.Segment };
        throw Invalid(Unknown);
    }

    /// <summary>Which edges touch.</summary>
    /// <param name="direction"><c>horizontal</c> or <c>vertical</c>; null when it was not said.</param>
    /// <param name="sides">As <c>right-to-left</c>; null when it was not said.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: the two don't fit each other.</exception>
    public static ConcatSides Sides(string? direction, string? sides)
    {
        if (direction is not (null or "horizontal" or "vertical"))
            throw Invalid($"The direction '{direction}' is unknown; it is horizontal or vertical.");
        if (sides is null)
            return direction == "vertical" ? ConcatSides.TopToBottom : ConcatSides.RightToLeft;
        // Vertical sides alone mean that it is vertical.
        if (direction is not "vertical" && HorizontalSides.Contains(sides, StringComparer.Ordinal))
            return sides == HorizontalSides[0] ? ConcatSides.RightToLeft : ConcatSides.LeftToRight;
        if (direction is not "horizontal" && VerticalSides.Contains(sides, StringComparer.Ordinal))
            return sides == VerticalSides[0] ? ConcatSides.TopToBottom : ConcatSides.BottomToTop;
        throw Invalid(BadSides);
    }

    private static FilterRequest Concat(string text)
    {
        var direction = Take(ref text, "horizontal") ? "horizontal" : Take(ref text, "vertical") ? "vertical" : null;
        return new FilterRequest { Kind = FilterKind.Concat, Sides = Sides(direction, text.Length == 0 ? null : text) };
    }

    private static FilterRequest Rotate(string text)
    {
        var anti = Take(ref text, "anti-clockwise");
        if (!anti)
            Take(ref text, "clockwise");
        return new FilterRequest { Kind = FilterKind.Rotate, AntiClockwise = anti, Degrees = text.Length == 0 ? 90 : FilterValues.Degrees(text) };
    }

    /// <summary>True if the words stand in the text; they are gone from it then.</summary>
    private static bool Take(ref string text, string words)
    {
        if (!text.Contains(words, StringComparison.Ordinal))
            return false;
        text = text.Replace(words, "", StringComparison.Ordinal).Trim();
        return true;
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}

/// <summary>The values that filters take, as people type them.</summary>
public static class FilterValues
{
    /// <summary>What to say to a level that is none.</summary>
    public const string BadLevel = "Blur level must be a positive, whole number.";

    /// <summary>Edge of the square that is blurred over, in pixels.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static int Level(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var level) && level is > 0 and <= 16_384 ? level : throw Invalid(BadLevel);

    /// <summary>90, 180 or 270.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static int Degrees(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var degrees) && degrees is 90 or 180 or 270
            ? degrees
            : throw Invalid("Degrees may only be 90, 180 or 270.");

    /// <summary>A share of all pixels, 0 to 1.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static double Amount(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var amount) && amount is >= 0 and <= 1
            ? amount
            : throw Invalid("The amount of salt and pepper must be a number from 0 to 1.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
