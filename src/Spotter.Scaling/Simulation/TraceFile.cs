using System.Globalization;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Scaling.Simulation;

/// <summary>How a file is read as a trace.</summary>
public sealed record TraceReading
{
    /// <summary>Jobs per thing that the file counts. Default: 1.</summary>
    public double JobsPerCount { get; init; } = 1;

    /// <summary>Leaves out what came earlier: a time as it stands in the file. Default: from the start.</summary>
    public string? From { get; init; }

    /// <summary>Leaves out what came later than so many hours after the first row. Default: to the end.</summary>
    public double? Hours { get; init; }

    /// <summary>Of what the file leaves open: moments inside a bin, service times. Default: 1.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>
/// Traces in CSV: <c>time,count</c> (jobs per bin, spread evenly over it), <c>time</c> (a row per job) or
/// <c>time,service</c> (with what it took, in seconds). Times are seconds, or dates with a time of day. A first row that
/// is no time names the columns; two columns without names are a count.
/// </summary>
public static class TraceFile
{
    private const int MostJobs = 5_000_000;
    // Far more than its most rows take: a bound for files that have no lines.
    private const long MostBytes = 512L << 20;

    private const double HoursInSeconds = 3600;

    // A job that took no time at all was measured badly.
    private const double ShortestService = 0.001;

    private enum Column
    {
        None,
        Count,
        Service,
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is not a trace; the message names the line.</exception>
    public static ArrivalTrace Read(string path, MachineKind machine, TraceReading how)
    {
        using var file = RegularFile.Open(path);
        if (file.Length > MostBytes)
            throw Refusal($"{Path.GetFileName(path)} has more than {MostBytes >> 20} MiB; cut it into parts.");
        using var lines = new StreamReader(file);
        return Parse(Path.GetFileName(path), lines, machine, how);
    }

    /// <summary>Reads a trace.</summary>
    /// <param name="name">What it is called in messages and in the table.</param>
    /// <param name="lines">Its lines.</param>
    /// <param name="machine">Where service times come from if the trace has none.</param>
    /// <param name="how">What to make of it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it is not a trace; the message names the line.</exception>
    public static ArrivalTrace Parse(string name, TextReader lines, MachineKind machine, TraceReading how)
    {
        var (column, rows, dated) = ReadRows(name, lines);
        if (how.From is { } from)
        {
            if (ParseTime(from) is not { } begin || begin.Dated != dated)
                throw Refusal($"{name} has no time like {from}; give it as it stands in the file.");
            rows.RemoveAll(row => row.Time < begin.Time);
        }
        if (rows.Count == 0)
            throw Refusal($"{name} has no row to simulate; a trace is CSV: time,count or time or time,service.");
        rows.Sort((a, b) => a.Time.CompareTo(b.Time));
        // Seconds count from the start of the trace, dates from the first row.
        var start = dated || how.From is not null ? rows[0].Time : 0;
        if (how.Hours is { } hours)
            rows.RemoveAll(row => row.Time >= rows[0].Time + (hours * HoursInSeconds));

        return column switch
        {
            Column.Count => FromCounts(name, rows, start, machine, how),
            Column.Service => new(
                name,
                [.. rows.Select(row => row.Time - start)],
                [.. rows.Select(row => Math.Max(ShortestService, row.Value))],
                rows[^1].Time - start),
            _ => ArrivalTrace.Create(name, [.. rows.Select(row => row.Time - start)], rows[^1].Time - start, machine, Draws.For($"trace/{name}", how.Seed)),
        };
    }

    private static (Column Column, List<Row> Rows, bool Dated) ReadRows(string name, TextReader lines)
    {
        var rows = new List<Row>();
        Column? column = null;
        bool? dated = null;
        var number = 0;
        while (lines.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line.StartsWith('#'))
                continue;
            var cells = line.Split(',', StringSplitOptions.TrimEntries);
            if (ParseTime(cells[0].Trim('"')) is not { } time)
            {
                if (column is not null)
                    throw Refusal($"Line {number} of {name} begins with {Shown(cells[0])}, which is no time.");
                column = Named(cells);
                continue;
            }
            column ??= cells.Length == 1 ? Column.None : Column.Count;
            dated ??= time.Dated;
            if (time.Dated != dated)
                throw Refusal($"Line {number} of {name} mixes seconds and dates; use one of them in all lines.");
            rows.Add(new(time.Time, Value(column.Value, cells, name, number)));
            if (rows.Count > MostJobs)
                throw Refusal($"{name} has more than {MostJobs} rows; cut it into parts.");
        }
        return (column ?? Column.None, rows, dated ?? false);
    }

    private static Column Named(string[] cells) =>
        cells.Length == 1 ? Column.None
        : cells[1].Trim('"').StartsWith("service", StringComparison.OrdinalIgnoreCase) ? Column.Service
        : Column.Count;

    private static double Value(Column column, string[] cells, string name, int number)
    {
        if (column == Column.None)
            return 1;
        var text = cells.Length > 1 ? cells[1].Trim('"') : "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0 && double.IsFinite(value))
            return value;
        throw Refusal($"Line {number} of {name} has {Shown(text)} where a {(column == Column.Count ? "count" : "number of seconds")} should be.");
    }

    private static (double Time, bool Dated)? ParseTime(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return double.IsFinite(seconds) && seconds >= 0 ? (seconds, false) : null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? ((date - DateTimeOffset.UnixEpoch).TotalSeconds, true)
            : null;
    }

    private static ArrivalTrace FromCounts(string name, List<Row> rows, double start, MachineKind machine, TraceReading how)
    {
        var expected = rows.Sum(row => row.Value) * how.JobsPerCount;
        if (expected > MostJobs)
            throw Refusal($"{name} counts {expected:0} jobs, more than the {MostJobs} that are simulated; scale it down.");
        var draws = Draws.For($"trace/{name}", how.Seed);
        var bin = BinSeconds(rows);
        var arrivals = new List<double>((int)expected + 1);
        foreach (var row in rows)
        {
            var jobs = row.Value * how.JobsPerCount;
            var count = (int)jobs + (draws.Share() < jobs - Math.Floor(jobs) ? 1 : 0);
            for (var i = 0; i < count; i++)
                arrivals.Add(row.Time - start + (draws.Share() * bin));
        }
        if (arrivals.Count == 0)
            throw Refusal($"{name} counts no job; there is nothing to simulate.");
        return ArrivalTrace.Create(name, arrivals, rows[^1].Time - start + bin, machine, draws);
    }

    // Bins that follow each other are as wide as they are usually apart. Where empty ones are left out, they
    // are as wide as the largest number of seconds that goes into all distances.
    private static double BinSeconds(List<Row> rows)
    {
        var distances = rows.Zip(rows.Skip(1), (a, b) => b.Time - a.Time).Where(d => d > 0).ToList();
        if (distances.Count == 0)
            return 1;
        var usual = distances.GroupBy(d => d).MaxBy(group => group.Count())!;
        if (usual.Count() * 2 >= distances.Count)
            return usual.Key;
        long common = 0;
        foreach (var distance in distances)
            common = Common((long)Math.Round(distance), common);
        return Math.Max(1, common);
    }

    private static long Common(long a, long b) => b == 0 ? a : Common(b, a % b);

    private static string Shown(string text) => text.Length == 0 ? "nothing" : text.Length > 40 ? $"{text[..40]}…" : text;

    private static SpotterException Refusal(string message) => new(ErrorCodes.InvalidRequest, message);

    private readonly record struct Row(double Time, double Value);
}
