using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Options;

namespace Spotter.Engines.Detect;

/// <summary>
/// Thresholds of labels as requests say them: <c>person:0.6,car:0.4</c>, or a JSON object for labels with commas in them.
/// </summary>
internal static class Thresholds
{
    /// <summary>What the option can be.</summary>
    public static OptionValues<IReadOnlyDictionary<string, double>?> Values { get; } = new(
        "LABEL:NUMBER pairs separated by commas, or a JSON object", OptionType.Structure, Parse);

    private static IReadOnlyDictionary<string, double>? Parse(string name, string text)
    {
        // In order, so that the same thresholds are the same work however they were written down.
        var all = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (label, value) in text.AsSpan().TrimStart().StartsWith('{') ? OfJson(name, text) : OfText(name, text))
        {
            if (value is not (>= 0 and <= 1))
                throw new SpotterException(ErrorCodes.ThresholdOutOfRange, string.Create(CultureInfo.InvariantCulture, $"The field '{name}' is {value} for '{label}'; it goes from 0 to 1."));
            if (!all.TryAdd(label, value))
                throw Invalid($"The field '{name}' has the label '{label}' twice; give it once.");
        }
        return all.Count == 0 ? null : all;
    }

    private static IEnumerable<(string Label, double Value)> OfText(string name, string text)
    {
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // The last colon separates, since labels may have some of their own.
            var colon = part.LastIndexOf(':');
            if (colon < 1 || !double.TryParse(part.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                throw Invalid($"The field '{name}' has '{part}'; it is {Values.Words}.");
            yield return (part[..colon].Trim(), value);
        }
    }

    private static List<(string Label, double Value)> OfJson(string name, string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateObject().Select(p => (p.Name, p.Value.GetDouble()))];
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException)
        {
            throw Invalid($"The field '{name}' is '{text}'; it is {Values.Words}, as {{\"person\": 0.6}}.");
        }
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
