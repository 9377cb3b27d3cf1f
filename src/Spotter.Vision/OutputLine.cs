using System.Globalization;

namespace Spotter.Vision;

/// <summary>A result as one line of CSV, <c>stem,result</c>: what fits into a spreadsheet or a shell script.</summary>
public static class OutputLine
{
    /// <summary>
    /// The line, without an end; null when the result has nothing to say in words. Of labels it is the most confident, of text all that was
    /// read, of objects their number per label, of classes of pixels their shares, of a map of values their range, and of a vector its numbers.
    /// </summary>
    /// <param name="stem">What the picture is called, without its extension.</param>
    /// <param name="result">The result.</param>
    public static string? Of(string stem, VisionResult result) => Words(result) is { } words ? Of(stem, words) : null;

    /// <summary>The line of a result that is in words already.</summary>
    public static string Of(string stem, string words) => $"{Quoted(stem)},{Quoted(words)}";

    /// <summary>The result in words; null when there are none.</summary>
    public static string? Words(VisionResult result) => result switch
    {
        { Labels: [var best, ..] } => best.Name,
        { Labels: not null } => "nothing found",
        { Reading.Text: var text } => text.Length == 0 ? "nothing read" : text,
        { Detections: { } found } when TextOf(found) is { } text => text,
        { Detections: { Count: > 0 } found } => string.Join("; ", (result.Summary ?? VisionResult.Summarize(found)).Select(pair => $"{pair.Value} {pair.Key}")),
        { Detections: not null } => "nothing found",
        { Regions: { Count: > 0 } regions } => string.Join("; ", regions.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Share * 100:0.#}% {r.Label}"))),
        { Regions: not null } => "nothing found",
        { Map: { Least: { } least, Greatest: { } greatest } } => string.Create(CultureInfo.InvariantCulture, $"{least:0.####} to {greatest:0.####}"),
        { Embedding: { } vector } => string.Join(' ', vector.Select(n => n.ToString(CultureInfo.InvariantCulture))),
        _ => null,
    };

    /// <summary>What a second model has read in boxes, from top to bottom; null when it has read nothing.</summary>
    public static string? TextOf(IEnumerable<Detection> detections)
    {
        var lines = detections.Where(d => d.Then?.Reading is { Text.Length: > 0 })
            .OrderBy(d => d.Box.Y1 + d.Box.Y2).ThenBy(d => d.Box.X1).Select(d => d.Then!.Reading!.Text).ToList();
        return lines is [] ? null : string.Join(" / ", lines);
    }

    /// <summary>As RFC 4180 has it: quoted only when it holds what would end the field.</summary>
    internal static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
