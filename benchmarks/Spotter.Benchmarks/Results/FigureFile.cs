using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Benchmarks.Results;

/// <summary>What one part of the benchmarks measured: a file of <c>benchmarks/results</c>.</summary>
/// <param name="Command">What was typed.</param>
/// <param name="Commit">The program that was measured; of figures from before files were kept, the commit that wrote them down.</param>
/// <param name="Date">When, as yyyy-MM-dd.</param>
/// <param name="Machine">Where.</param>
/// <param name="Figures">Each figure with its value in each run.</param>
internal sealed record FigureFile(string Command, string Commit, string Date, string Machine, SortedDictionary<string, IReadOnlyList<double>> Figures)
{
    /// <summary>All files of a folder, by their names without <c>.json</c>.</summary>
    public static SortedDictionary<string, FigureFile> ReadAll(string folder)
    {
        var all = new SortedDictionary<string, FigureFile>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*.json"))
            all[Path.GetFileNameWithoutExtension(file)] = Read(file);
        return all;
    }

    /// <summary>Reads one.</summary>
    public static FigureFile Read(string file) =>
        JsonSerializer.Deserialize(File.ReadAllText(file), FigureJson.Default.FigureFile) ?? throw new FormatException($"{file} is empty.");

    /// <summary>Writes it in place of what is there.</summary>
    public void Write(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, FigureJson.Default.FigureFile) + "\n");

    /// <summary>With the figures of another run of the same program; those alone when it is of another program or command.</summary>
    public FigureFile After(FigureFile? before)
    {
        if (before is null || before.Commit != Commit || before.Command != Command)
            return this;
        var all = new SortedDictionary<string, IReadOnlyList<double>>(before.Figures, StringComparer.Ordinal);
        foreach (var (name, values) in Figures)
            all[name] = [.. all.GetValueOrDefault(name, []), .. values];
        return this with { Figures = all };
    }

    /// <summary>A figure of the page: the median of its runs.</summary>
    public double Median(string name)
    {
        var values = Figures[name].Order().ToList();
        return values[values.Count / 2];
    }
}

[JsonSerializable(typeof(FigureFile))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class FigureJson : JsonSerializerContext;
