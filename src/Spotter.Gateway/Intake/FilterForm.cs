using System.Globalization;
using Spotter.Core;
using Spotter.Core.Vision.Filters;

namespace Spotter.Gateway.Intake;

/// <summary>The fields of a request for the engine <c>filter</c>.</summary>
internal static class FilterForm
{
    /// <summary>The names of the fields that only filters have.</summary>
    public static IReadOnlyList<string> Fields { get; } =
        ["filter", "caption", "level", "degrees", "direction", "amount", "seed", "threshold", "sides", "mode", "strict", "stretch"];

    private static readonly string[] InWords = ["level", "degrees", "direction", "amount", "sides"];

    /// <summary>The filter that fields ask for: by <c>filter</c> and its settings, or in words by <c>caption</c>.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: what is wrong, and what it may be.</exception>
    public static FilterRequest Read(IReadOnlyDictionary<string, string> fields)
    {
        var caption = fields.GetValueOrDefault("caption");
        var name = fields.GetValueOrDefault("filter");
        if (caption is not null && name is not null)
            throw Invalid("The fields 'filter' and 'caption' both name a filter; send one of them.");
        // A value beside a caption would be dropped unseen: the words say it themselves.
        if (caption is not null && InWords.FirstOrDefault(fields.ContainsKey) is { } said)
            throw Invalid($"The field '{said}' does not go with 'caption'; say it in the caption, or name the filter with 'filter'.");
        var request = caption is not null ? FilterCaption.Parse(caption) : Named(name, fields);
        return request with
        {
            Mode = Choice(fields, "mode", "colour", "grey") switch { null => request.Mode, "grey" => FilterMode.Grey, _ => FilterMode.Colour },
            Seed = fields.TryGetValue("seed", out var seed) ? Whole("seed", seed, int.MinValue, int.MaxValue) : null,
            Threshold = fields.TryGetValue("threshold", out var threshold) ? Whole("threshold", threshold, 0, 255) : request.Threshold,
            Strict = JobForm.Flag(fields, "strict"),
            Stretch = JobForm.Flag(fields, "stretch"),
        };
    }

    private static FilterRequest Named(string? name, IReadOnlyDictionary<string, string> fields)
    {
        var kind = name switch
        {
            "blur" => FilterKind.Blur,
            "contour" => FilterKind.Contour,
            "rotate" => FilterKind.Rotate,
            "salt-and-pepper" or "salt and pepper" => FilterKind.Salt,
            "segment" => FilterKind.Segment,
            "concat" => FilterKind.Concat,
            null => throw Invalid("The engine 'filter' needs the field 'filter': blur, contour, rotate, salt-and-pepper, segment or concat."),
            _ => throw Invalid($"There is no filter '{name}'; there is blur, contour, rotate, salt-and-pepper, segment and concat."),
        };
        var direction = fields.GetValueOrDefault("direction");
        var request = new FilterRequest { Kind = kind };
        return request with
        {
            Level = fields.TryGetValue("level", out var level) ? FilterValues.Level(level) : request.Level,
            Degrees = fields.TryGetValue("degrees", out var degrees) ? FilterValues.Degrees(degrees) : request.Degrees,
            Amount = fields.TryGetValue("amount", out var amount) ? FilterValues.Amount(amount) : request.Amount,
            AntiClockwise = kind == FilterKind.Rotate && Choice(fields, "direction", "clockwise", "anti-clockwise") == "anti-clockwise",
            Sides = kind == FilterKind.Concat ? FilterCaption.Sides(direction, fields.GetValueOrDefault("sides")) : request.Sides,
        };
    }

    private static string? Choice(IReadOnlyDictionary<string, string> fields, string name, string first, string second)
    {
        if (!fields.TryGetValue(name, out var text))
            return null;
        return text == first || text == second ? text : throw Invalid($"The field '{name}' is '{text}'; it is {first} or {second}.");
    }

    private static int Whole(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Invalid($"The field '{name}' is '{text}'; it is a whole number from {least} to {most}.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
