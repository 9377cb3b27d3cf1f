using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Vision;

namespace Spotter.Engines.Detect;

/// <summary>
/// Zones as requests say them: <c>door:10,10 200,10 200,300;yard:…</c>, or a JSON array of
/// <c>{"name": "door", "points": [[10, 10], [200, 10], [200, 300]]}</c>.
/// </summary>
internal static class ZoneText
{
    /// <summary>What the option can be.</summary>
    public static OptionValues<IReadOnlyList<Zone>?> Values { get; } = new(
        "NAME:X,Y X,Y X,Y… separated by semicolons, or a JSON array", OptionType.Structure, Parse);

    private static List<Zone>? Parse(string name, string text)
    {
        var zones = text.AsSpan().TrimStart().StartsWith('[') ? OfJson(name, text) : OfText(name, text);
        if (zones.Count > Zone.Most)
            throw Invalid($"The field '{name}' has {zones.Count} zones; at most {Zone.Most} are counted.");
        foreach (var zone in zones)
            Check(name, zone);
        if (zones.GroupBy(z => z.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Invalid($"The field '{name}' has two zones that are called '{twice.Key}'; give each a name of its own.");
        return zones.Count == 0 ? null : zones;
    }

    private static void Check(string name, Zone zone)
    {
        if (zone.Name.Length is 0 or > Zone.LongestName || zone.Name.Any(char.IsControl))
            throw Invalid($"The field '{name}' has a zone without a name, or with one that can't be; take 1 to {Zone.LongestName} characters.");
        if (zone.Points.Count is < 3 or > Zone.MostPoints)
            throw Invalid($"The zone '{zone.Name}' has {zone.Points.Count} points; it takes 3 to {Zone.MostPoints}.");
        if (zone.Points.Any(p => Math.Abs(p.X) is not <= Zone.Farthest || Math.Abs(p.Y) is not <= Zone.Farthest))
            throw Invalid($"The zone '{zone.Name}' has a point that lies nowhere near a picture; give all in pixels.");
    }

    private static List<Zone> OfText(string name, string text)
    {
        var zones = new List<Zone>();
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // The last colon separates: there is none among numbers.
            var colon = part.LastIndexOf(':');
            var points = part[(colon + 1)..].Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(p => PointOf(name, p)).ToList();
            zones.Add(new Zone(colon < 0 ? "" : part[..colon].Trim(), points));
        }
        return zones;
    }

    private static Point PointOf(string name, string text)
    {
        if (text.Split(',') is [var x, var y] && Number(x) is { } right && Number(y) is { } down)
            return new Point(right, down);
        throw Invalid($"The field '{name}' has the point '{text}'; it is {Values.Words}.");
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static List<Zone> OfJson(string name, string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateArray().Select(z => new Zone(z.GetProperty("name").GetString() ?? "", [.. z.GetProperty("points").EnumerateArray().Select(PointOf)]))];
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw Invalid($"The field '{name}' is JSON of another form; send [{{\"name\": \"door\", \"points\": [[10, 10], [200, 10], [200, 300]]}}].");
        }
    }

    private static Point PointOf(JsonElement point) =>
        point.GetArrayLength() == 2 ? new Point(point[0].GetDouble(), point[1].GetDouble()) : throw new FormatException();

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
