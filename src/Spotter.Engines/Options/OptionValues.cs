using System.Globalization;
using Spotter.Core;

namespace Spotter.Engines.Options;

/// <summary>The JSON types of options.</summary>
public enum OptionType
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Flag,

    /// <summary>A list or an object; in a form the same JSON as text, or a shorter text that means it.</summary>
    Structure,
}

/// <summary>What an option can be: the range of its values, and how they are written.</summary>
/// <param name="Words">The values in words, to stand behind <c>it is</c> or <c>takes</c>.</param>
/// <param name="Type">Their type in JSON.</param>
public abstract record OptionValues(string Words, OptionType Type)
{
    /// <summary>The smallest; null when there is none.</summary>
    public double? Least { get; init; }

    /// <summary>The largest; null when there is none.</summary>
    public double? Most { get; init; }

    /// <summary>All of them, where they can be counted.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>True if the text is one of them.</summary>
    public abstract bool Accepts(string text);

    /// <summary>From nothing to all, by default: a threshold.</summary>
    public static OptionValues<double> Fraction(double most = 1) =>
        new($"a number from 0 to {Text(most)}", OptionType.Number, (name, text) =>
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                throw Invalid($"The field '{name}' is '{text}', which is not a number.");
            return value >= 0 && value <= most
                ? value
                : throw new SpotterException(ErrorCodes.ThresholdOutOfRange, $"The field '{name}' is {text}; it goes from 0 to {Text(most)}.");
        })
        { Least = 0, Most = most };

    /// <summary>A whole number; with a sign only where less than nothing is allowed.</summary>
    public static OptionValues<int> Whole(int least, int most) =>
        Of($"a whole number from {least} to {most}", OptionType.Whole, text =>
            (int.TryParse(text, least < 0 ? NumberStyles.AllowLeadingSign : NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most, value))
        with
        { Least = least, Most = most };

    /// <summary>A time in seconds.</summary>
    public static OptionValues<TimeSpan> Seconds(TimeSpan longest) =>
        Of($"a number of seconds from 0 to {longest.TotalSeconds}", OptionType.Number, text =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= longest.TotalSeconds
                ? (true, TimeSpan.FromSeconds(seconds))
                : (false, default))
        with
        { Least = 0, Most = longest.TotalSeconds, Write = time => Text(time.TotalSeconds) };

    /// <summary>Yes or no.</summary>
    public static OptionValues<bool> Flag { get; } = Of("true or false", OptionType.Flag, text => text switch
    {
        "true" or "1" => (true, true),
        "false" or "0" or "" => (true, false),
        _ => (false, false),
    }) with
    { Write = value => value ? "true" : "false" };

    /// <summary>One of a few words.</summary>
    public static OptionValues<T> Choice<T>(params IReadOnlyList<(string Word, T Value)> choices)
        where T : struct, Enum
    {
        var words = choices.Select(c => c.Word).ToList();
        return Of(OneOf(words), OptionType.Text, text => words.IndexOf(text) is >= 0 and var index ? (true, choices[index].Value) : (false, default))
            with
        { Choices = words, Write = value => choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, value)).Word };
    }

    /// <summary>Names, separated by commas; null for none.</summary>
    public static OptionValues<IReadOnlyList<string>?> List(string words) => Of<IReadOnlyList<string>?>(words, OptionType.Text, text =>
        (true, text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } names ? names : null));

    /// <summary>Any text, or text that means something only together with other options.</summary>
    public static OptionValues<string> Any(string words, params IReadOnlyList<string> usual) =>
        Of(words, OptionType.Text, text => (true, text)) with { Choices = usual.Count == 0 ? null : usual };

    /// <summary>Values that are refused in the usual words.</summary>
    public static OptionValues<T> Of<T>(string words, OptionType type, Func<string, (bool Fits, T Value)> read) =>
        new(words, type, (name, text) => read(text) is (true, var value) ? value : throw Invalid($"The field '{name}' is '{text}'; it is {words}."));

    private static string OneOf(IReadOnlyList<string> words) => $"{string.Join(", ", words.SkipLast(1))} or {words[^1]}";

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}

/// <summary>What an option can be, and what that means.</summary>
/// <param name="Words">As in <see cref="OptionValues"/>.</param>
/// <param name="Type">As in <see cref="OptionValues"/>.</param>
/// <param name="Parse">From the option's name and its text to the value; throws the refusal of any other text.</param>
public sealed record OptionValues<T>(string Words, OptionType Type, Func<string, string, T> Parse) : OptionValues(Words, Type)
{
    /// <summary>From a value to its text.</summary>
    public Func<T, string> Write { get; init; } = static value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <inheritdoc/>
    public override bool Accepts(string text)
    {
        try
        {
            Parse("", text);
            return true;
        }
        catch (SpotterException)
        {
            return false;
        }
    }
}
