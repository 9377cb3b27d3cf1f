namespace Spotter.Vision;

/// <summary>A result as one line of CSV, <c>stem,result</c>: what fits into a spreadsheet or a shell script.</summary>
public static class OutputLine
{
    /// <summary>
    /// The line, without an end; null when the result has nothing to say in words. Of labels it is the most confident,
    /// of objects their number per label.
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
        { Detections: { Count: > 0 } found } => string.Join("; ", (result.Summary ?? VisionResult.Summarize(found)).Select(pair => $"{pair.Value} {pair.Key}")),
        { Detections: not null } => "nothing found",
        _ => null,
    };

    /// <summary>As RFC 4180 has it: quoted only when it holds what would end the field.</summary>
    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
