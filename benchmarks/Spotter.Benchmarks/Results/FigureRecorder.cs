using System.Diagnostics;

namespace Spotter.Benchmarks.Results;

/// <summary>Keeps what is measured in this run, for <c>--record</c>.</summary>
internal static class FigureRecorder
{
    private static readonly SortedDictionary<string, SortedDictionary<string, IReadOnlyList<double>>> Noted = new(StringComparer.Ordinal);

    /// <summary>Notes a figure as it is printed.</summary>
    /// <param name="file">The file of <c>benchmarks/results</c>.</param>
    /// <param name="figure">Its name there; another run of the same name is added to it.</param>
    /// <param name="value">The value; with more digits than are printed.</param>
    public static void Note(string file, string figure, double value)
    {
        if (!Noted.TryGetValue(file, out var figures))
            Noted[file] = figures = new(StringComparer.Ordinal);
        figures[figure] = [.. figures.GetValueOrDefault(figure, []), value];
    }

    /// <summary>Writes what was noted into files. Runs of one program and command are kept together, and the page shows their medians.</summary>
    /// <param name="repository">The checkout.</param>
    /// <param name="command">What was typed.</param>
    public static void Write(string repository, string command)
    {
        var folder = Path.Combine(repository, "benchmarks", "results");
        var machine = $"{Environment.ProcessorCount} cores, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}";
        foreach (var (name, figures) in Noted)
        {
            var file = Path.Combine(folder, $"{name}.json");
            var measured = new FigureFile(command, Commit(repository), TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), machine, figures);
            measured.After(File.Exists(file) ? FigureFile.Read(file) : null).Write(file);
            Console.Error.WriteLine($"benchmarks: wrote {Path.GetRelativePath(repository, file)}; benchmarks/run docs puts it into docs/performance.md");
        }
    }

    private static string Commit(string repository)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", repository, "rev-parse", "--short=7", "HEAD"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var commit = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return commit.Length > 0 ? commit : throw new BenchmarkFailedException("--record needs a git checkout, whose commit stands beside the figures.");
    }
}
