using System.Globalization;
using System.Text;
using Spotter.Benchmarks.Queues;
using Spotter.Benchmarks.Results;

namespace Spotter.Benchmarks.Growth;

/// <summary>A row of the table.</summary>
/// <param name="Name">What it is, with its unit.</param>
/// <param name="Value">The figure.</param>
/// <param name="MoreIsBetter">A rate, not a time.</param>
/// <param name="Key">Its name in <c>benchmarks/results</c>; null when it isn't kept.</param>
internal sealed record Figure(string Name, double Value, bool MoreIsBetter = false, string? Key = null);

/// <summary>
/// What calls cost while 0 to 1,000,000 jobs wait, for each backend: one that looks at all of them gets slower with each.
/// </summary>
internal static class GrowthReport
{
    private const int Column = 20;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        if (options.Backend is "sqlite" or "both")
            await TableAsync("sqlite", options, _ => QueuePlace.Sqlite());
        if (options.Backend is "sqlite" || await PrivateServer.StartAsync("postgres") is not { } server)
            return;
        await using (server)
            await TableAsync("postgres", options, size => QueuePlace.Postgres(server, $"growth_{size}"));
    }

    private static async Task TableAsync(string backend, BenchmarkOptions options, Func<int, QueuePlace> placeFor)
    {
        var columns = new List<(int Size, IReadOnlyList<Figure> Figures)>();
        var name = "";
        foreach (var size in options.Sizes)
        {
            using var place = placeFor(size);
            name = place.Name;
            columns.Add((size, await GrowthRun.MeasureAsync(place, size, TimeSpan.FromSeconds(options.Seconds))));
        }
        foreach (var (size, figure) in columns.SelectMany(c => c.Figures.Where(f => f.Key is not null).Select(f => (c.Size, f))))
            FigureRecorder.Note("growth", string.Create(CultureInfo.InvariantCulture, $"{backend}.{size}.{figure.Key}"), figure.Value);
        Console.WriteLine();
        Console.WriteLine($"growth: {name}, medians; in brackets: times what it is with the first backlog, the rate's inverse");
        Console.WriteLine($"{"jobs waiting",-32}{string.Concat(columns.Select(c => c.Size.ToString("N0", CultureInfo.InvariantCulture).PadLeft(Column)))}");
        for (var row = 0; row < columns[0].Figures.Count; row++)
        {
            var first = columns[0].Figures[row];
            var line = new StringBuilder(first.Name.PadRight(32));
            foreach (var (_, figures) in columns)
            {
                var (value, ratio) = (figures[row].Value, first.MoreIsBetter ? first.Value / figures[row].Value : figures[row].Value / first.Value);
                line.Append(string.Create(CultureInfo.InvariantCulture, $"{value:0.00} ({ratio:0.0}x)").PadLeft(Column));
            }
            Console.WriteLine(line);
        }
    }
}
