using System.Globalization;
using System.Text.RegularExpressions;

namespace Spotter.Benchmarks.Results;

/// <summary>
/// <c>docs/performance.md</c>: the text of <c>benchmarks/performance.md</c> with the figures of <c>benchmarks/results</c>.
/// <c>{{FILE.FIGURE:FORMAT}}</c> stands for a figure, <c>{{FILE.FIGURE/FILE.FIGURE:FORMAT}}</c> for one divided by another,
/// <c>{{sources}}</c> for a table of the files.
/// </summary>
internal static partial class FigurePage
{
    /// <summary>The first line of the page, for whoever wants to change it.</summary>
    public const string Note = "<!-- Made by `benchmarks/run docs` from benchmarks/performance.md and benchmarks/results: change those. -->\n";

    /// <summary>The page.</summary>
    /// <exception cref="FormatException">A figure isn't there.</exception>
    public static string Render(string text, SortedDictionary<string, FigureFile> files)
    {
        var page = Place().Replace(text, place =>
        {
            if (!place.Groups["figure"].Success)
                return Sources(files);
            var value = Find(place.Groups["figure"].Value);
            if (place.Groups["by"].Success)
                value /= Find(place.Groups["by"].Value);
            return value.ToString(place.Groups["format"].Value, CultureInfo.InvariantCulture);
        });
        if (page.Contains("{{", StringComparison.Ordinal))
            throw new FormatException($"This is no figure: {page[page.IndexOf("{{", StringComparison.Ordinal)..].Split('\n')[0]}");
        return Note + page;

        double Find(string name)
        {
            var (file, figure) = name.Split('.', 2) is [var f, var rest] ? (f, rest) : (name, "");
            if (!files.TryGetValue(file, out var found))
                throw new FormatException($"{name}: there is no benchmarks/results/{file}.json.");
            if (!found.Figures.ContainsKey(figure))
                throw new FormatException($"{name}: benchmarks/results/{file}.json has no such figure.");
            return found.Median(figure);
        }
    }

    private static string Sources(SortedDictionary<string, FigureFile> files) =>
        "| figures | taken by | commit | on |\n|---|---|---|---|"
        + string.Concat(files.Select(f => $"\n| `{f.Key}` | {f.Value.Command} | {f.Value.Commit} | {f.Value.Date} |"));

    /// <summary>Writes the page of a checkout.</summary>
    public static void Write(string repository) =>
        File.WriteAllText(Path.Combine(repository, "docs", "performance.md"), Read(repository));

    /// <summary>The page of a checkout as it should be.</summary>
    public static string Read(string repository) =>
        Render(File.ReadAllText(Path.Combine(repository, "benchmarks", "performance.md")), FigureFile.ReadAll(Path.Combine(repository, "benchmarks", "results")));

    [GeneratedRegex(@"\{\{(sources|(?<figure>[A-Za-z0-9.-]+)(/(?<by>[A-Za-z0-9.-]+))?:(?<format>[N0-9.]+))\}\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Place();
}
