using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Vision.Filters;

namespace Spotter.Engines.Filter;

/// <summary>The options of the engine <c>filter</c>: a filter and its settings, or the same in words.</summary>
internal static class FilterOptions
{
    private const string Kinds = "blur, contour, rotate, salt-and-pepper, segment";

    // A value beside a caption would be dropped unseen: the words say it themselves.
    private static readonly string[] SaidInWords = ["level", "degrees", "direction", "amount", "sides"];

    public static OptionSet<Asked> Declared { get; } = new(new Asked(new FilterRequest { Kind = FilterKind.Blur }))
    {
        { "filter", "Which filter", Kind, _ => null, (a, v) => a.With(r => r with { Kind = v }), OptionTraits.ChoosesEngine },
        { "caption", "Instead of `filter` and its settings: the same in words", OptionValues.Any("words, as `rotate anti-clockwise 180`"), a => a.Caption, (a, v) => a with { Caption = v } },
        { "level", "For blur: edge of the square in pixels", Of(OptionValues.Whole(1, 16_384), FilterValues.Level), a => a.Request.Level, (a, v) => a.With(r => r with { Level = v }) },
        {
            "degrees", "For rotate: how far", Of(OptionValues.Whole(90, 270), FilterValues.Degrees) with { Words = "90, 180 or 270" },
            a => a.Request.Degrees, (a, v) => a.With(r => r with { Degrees = v })
        },
        {
            "direction", "For rotate: clockwise (default) or anti-clockwise. For concat: horizontal (default) or vertical",
            OptionValues.Any("clockwise, anti-clockwise, horizontal or vertical", "clockwise", "anti-clockwise", "horizontal", "vertical"),
            a => a.Direction, (a, v) => a with { Direction = v }
        },
        { "amount", "For salt-and-pepper: share of pixels that are drawn", Of(OptionValues.Fraction(), FilterValues.Amount), a => a.Request.Amount, (a, v) => a.With(r => r with { Amount = v }) },
        {
            "seed", "For salt-and-pepper: the same number gives the same draw; another one each time by default", OptionValues.Whole(int.MinValue, int.MaxValue),
            a => a.Request.Seed, (a, v) => a.With(r => r with { Seed = v })
        },
        { "threshold", "For segment: what is brighter becomes white", OptionValues.Whole(0, 255), a => a.Request.Threshold, (a, v) => a.With(r => r with { Threshold = v }) },
        {
            "sides", "For concat, which edges touch: right-to-left by default, top-to-bottom when it is vertical",
            OptionValues.Any("right-to-left, left-to-right, top-to-bottom or bottom-to-top", "right-to-left", "left-to-right", "top-to-bottom", "bottom-to-top"),
            a => a.Sides, (a, v) => a with { Sides = v }
        },
        { "mode", "Whether it works in colour or in grey", OptionValues.Choice(("colour", FilterMode.Colour), ("grey", FilterMode.Grey)), a => a.Request.Mode, (a, v) => a.With(r => r with { Mode = v }) },
        { "strict", "For concat: refuse pictures whose touching edges differ, instead of scaling them", OptionValues.Flag, a => a.Request.Strict, (a, v) => a.With(r => r with { Strict = v }) },
        { "stretch", "In grey: spread the values over 0 to 255", OptionValues.Flag, a => a.Request.Stretch, (a, v) => a.With(r => r with { Stretch = v }) },
    };

    private static OptionValues<FilterKind> Kind => new($"{Kinds} or concat", OptionType.Text, (_, text) => text switch
    {
        "blur" => FilterKind.Blur,
        "contour" => FilterKind.Contour,
        "rotate" => FilterKind.Rotate,
        "salt-and-pepper" or "salt and pepper" => FilterKind.Salt,
        "segment" => FilterKind.Segment,
        "concat" => FilterKind.Concat,
        _ => throw Invalid($"There is no filter '{text}'; there is {Kinds} and concat."),
    })
    { Choices = ["blur", "contour", "rotate", "salt-and-pepper", "segment", "concat"] };

    /// <summary>The filter that fields ask for.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: what is wrong, and what it may be.</exception>
    public static FilterRequest Read(JobFields fields)
    {
        if (fields.Has("caption") && fields.Has("filter"))
            throw Invalid("The fields 'filter' and 'caption' both name a filter; send one of them.");
        if (fields.Has("caption") && SaidInWords.FirstOrDefault(fields.Has) is { } said)
            throw Invalid($"The field '{said}' does not go with 'caption'; say it in the caption, or name the filter with 'filter'.");
        var asked = Declared.Read(fields);
        if (asked.Caption is { } caption)
        {
            var spoken = FilterCaption.Parse(caption);
            return asked.Request with { Kind = spoken.Kind, Level = spoken.Level, Degrees = spoken.Degrees, AntiClockwise = spoken.AntiClockwise, Amount = spoken.Amount, Sides = spoken.Sides };
        }
        if (!fields.Has("filter"))
            throw Invalid($"The engine 'filter' needs the field 'filter': {Kinds} or concat.");
        return asked.Request.Kind switch
        {
            FilterKind.Rotate => asked.Request with { AntiClockwise = IsAntiClockwise(asked.Direction) },
            FilterKind.Concat => asked.Request with { Sides = FilterCaption.Sides(asked.Direction, asked.Sides) },
            _ => asked.Request,
        };
    }

    private static bool IsAntiClockwise(string? direction) => direction is null or "clockwise" or "anti-clockwise"
        ? direction == "anti-clockwise"
        : throw Invalid($"The field 'direction' is '{direction}'; it is clockwise or anti-clockwise.");

    /// <summary>Values that are refused in words of their own.</summary>
    private static OptionValues<T> Of<T>(OptionValues<T> range, Func<string, T> parse) => range with { Parse = (_, text) => parse(text) };

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);

    /// <summary>What fields say, before it is put together.</summary>
    internal sealed record Asked(FilterRequest Request, string? Caption = null, string? Direction = null, string? Sides = null)
    {
        public Asked With(Func<FilterRequest, FilterRequest> change) => this with { Request = change(Request) };
    }
}
