using System.Globalization;

namespace Spotter.Core.Settings;

/// <summary>What a setting takes.</summary>
/// <param name="Words">The values in words, to stand behind <c>takes</c>.</param>
/// <param name="Name">Their name in the help, as <c>N</c>.</param>
/// <param name="Read">From the text to the value, and whether it is one.</param>
public sealed record SettingValues<T>(string Words, string Name, Func<string, (bool Fits, T Value)> Read)
{
    /// <summary>All texts that it takes, where they are few; else none.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>From a value to its text.</summary>
    public Func<T, string> Write { get; init; } = static value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

/// <summary>The kinds of values that settings take.</summary>
public static class SettingValues
{
    /// <summary>Any text but an empty one.</summary>
    public static SettingValues<string> Text(string name) => new("some text", name, text => (text.Length > 0, text));

    /// <summary>Any text, for a setting that need not be given.</summary>
    public static SettingValues<string?> OptionalText(string name) => new("some text", name, text => (text.Length > 0, text));

    /// <summary>The address of a service, for a setting that need not be given.</summary>
    public static SettingValues<string?> HttpAddress { get; } =
        new("an address like http://host:8080", "URL", text => (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https", text));

    /// <summary>A whole number.</summary>
    public static SettingValues<int> Whole(int least, int most) =>
        new($"a number from {least} to {most}", "N", text =>
            (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most, value));

    /// <summary>A time in whole seconds, hours or days: as many as the unit says.</summary>
    public static SettingValues<TimeSpan> Times(TimeSpan unit, int least, int most) =>
        new($"a number from {least} to {most}", "N", text =>
            (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most, value * unit))
        {
            Write = time => (time / unit).ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>A time in seconds and parts of them.</summary>
    public static SettingValues<TimeSpan> Seconds(double least, double most) =>
        new(string.Create(CultureInfo.InvariantCulture, $"seconds from {least} to {most}"), "SECONDS", text =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds >= least && seconds <= most
                ? (true, TimeSpan.FromSeconds(seconds))
                : (false, default))
        {
            Write = time => time.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>A number above 0.</summary>
    public static SettingValues<double> Positive(string name) =>
        new("a number above 0", name, text => (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value > 0 && double.IsFinite(value), value));

    /// <summary>A part of a whole.</summary>
    public static SettingValues<double> Part { get; } =
        new("a number from 0 to 1", "PART", text => (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1, value));

    /// <summary>Yes or no.</summary>
    public static SettingValues<bool> YesNo { get; } = new("true or false", "true|false", text => text.ToUpperInvariant() switch
    {
        "TRUE" or "1" or "YES" => (true, true),
        "FALSE" or "0" or "NO" => (true, false),
        _ => (false, false),
    })
    {
        Names = ["true", "false"],
        Write = value => value ? "true" : "false",
    };

    /// <summary>One of a few names.</summary>
    public static SettingValues<string> OneOf(params IReadOnlyList<string> names) =>
        new(InWords(names), string.Join('|', names), text => (names.Contains(text, StringComparer.Ordinal), text)) { Names = names };

    /// <summary>One of the names of an enumeration, in small letters or not.</summary>
    public static SettingValues<T> Choice<T>()
        where T : struct, Enum
    {
        var names = Enum.GetNames<T>().Select(n => n.ToLowerInvariant()).ToList();
        return new(InWords(names), string.Join('|', names), text => (EnumNames.TryParse<T>(text, out var value), value))
        {
            Names = names,
            Write = EnumNames.Of,
        };
    }

    /// <summary>The same values, for a setting that need not be given.</summary>
    public static SettingValues<T?> OrNone<T>(this SettingValues<T> values)
        where T : struct => new(values.Words, values.Name, text => values.Read(text) is (true, var value) ? (true, value) : (false, null))
        {
            Names = values.Names,
            Write = value => value is { } given ? values.Write(given) : "",
        };

    private static string InWords(IReadOnlyList<string> names) => names is [var only] ? only : $"{string.Join(", ", names.SkipLast(1))} or {names[^1]}";
}
