using System.Globalization;
using Spotter.Vision;

namespace Spotter.Cli.Detect;

/// <summary>The table and the summary that <c>detect</c> prints for people.</summary>
internal sealed class DetectReport(string model, int lanes)
{
    private readonly TextTable table = new("picture", "found", "best", "ms");
    private readonly OrderedDictionary<string, int> totals = new(StringComparer.Ordinal);
    private int pictures;

    /// <summary>Pictures without a result.</summary>
    public int Failures { get; private set; }

    /// <summary>Takes in the answer about one picture.</summary>
    public void Add(DetectLine line)
    {
        pictures++;
        if (line.Error is { } error)
        {
            Failures++;
            table.Add(line.File, $"failed: {error.Code}", "", "");
            return;
        }
        if (line.Summary is { } summary)
        {
            foreach (var (label, count) in summary)
                totals[label] = totals.GetValueOrDefault(label) + count;
        }
        if (line.Labels is [var told, ..])
            totals[told.Name] = totals.GetValueOrDefault(told.Name) + 1;
        foreach (var region in line.Regions ?? [])
            totals[region.Label] = totals.GetValueOrDefault(region.Label) + 1;
        if (line is { Regions: null, Map: not null })
            totals["map"] = totals.GetValueOrDefault("map") + 1;
        if (line.Embedding is not null)
            totals["embedding"] = totals.GetValueOrDefault("embedding") + 1;
        var sure = line.Detections is [var first, ..] ? first.Confidence : line.Labels is [var top, ..] ? top.Confidence : line.Reading?.Confidence;
        var best = sure?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
        var timings = line.Timings ?? new();
        var milliseconds = timings.FetchMs + timings.DecodeMs + timings.InferMs + timings.PostMs + timings.EncodeMs;
        table.Add(line.File, line.Whole ?? Found(line), best, milliseconds.ToString("0", CultureInfo.InvariantCulture));
    }

    /// <summary>The whole report.</summary>
    /// <param name="took">From the first picture's start to the last one's end.</param>
    public string Render(TimeSpan took)
    {
        var rate = pictures / Math.Max(took.TotalSeconds, 0.001);
        var failed = Failures == 0 ? "" : $", {Failures} failed";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{table}\n{Number(pictures, "picture")}{failed}; {PlainText.OneLine(Counts(totals.OrderByDescending(pair => pair.Value)))}; {took.TotalSeconds:0.0} s, {rate:0.0} pictures/s ({model}, {Number(lanes, "lane")})\n");
    }

    private static string Found(DetectLine line) => line switch
    {
        { Labels: [var shown, ..] } => shown.Name,
        { Reading: { } reading } => reading.Text.Length == 0 ? "nothing read" : reading.Text,
        _ => OutputLine.TextOf(line.Detections ?? []) ?? Counts(line.Summary),
    };

    private static string Counts(IEnumerable<KeyValuePair<string, int>>? summary)
    {
        var text = string.Join(", ", (summary ?? []).Select(pair => $"{pair.Value} {pair.Key}"));
        return text.Length == 0 ? "nothing found" : text;
    }

    private static string Number(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
