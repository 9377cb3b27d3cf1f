using System.Globalization;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Backends.Scaling;

/// <summary>
/// The arrivals of the last 31 days as CSV, one file for each day: <c>timestamp,count</c> for each second in which jobs
/// came in. A second is written when the next one begins or somebody reads, so a crash costs one at most.
/// </summary>
/// <param name="folder">The folder; it need not exist.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Told when something can't be written.</param>
public sealed partial class ArrivalFiles(string folder, TimeProvider time, ILogger<ArrivalFiles> log) : IArrivalTrace, IDisposable
{
    /// <summary>So many days are kept.</summary>
    public const int MostDays = 31;

    private const string Head = "timestamp,count";
    private const string DayFormat = "yyyy-MM-dd";
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ssZ";

    private readonly Lock gate = new();
    private ArrivalCount pending;
    private bool failed;

    /// <inheritdoc/>
    public void Arrived(int jobs)
    {
        var now = time.GetUtcNow();
        var second = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        lock (gate)
        {
            if (second != pending.Time)
                Write();
            pending = new ArrivalCount(second, pending.Jobs + jobs);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<DateOnly> Days()
    {
        lock (gate)
        {
            Write();
            return [.. Files().Select(f => f.Day).OrderDescending()];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<ArrivalCount>? Read(DateOnly day)
    {
        lock (gate)
            Write();
        var file = FileOf(day);
        try
        {
            return File.Exists(file) ? [.. File.ReadLines(file).Select(Parse).OfType<ArrivalCount>()] : null;
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"The arrivals of {day.ToString(DayFormat, CultureInfo.InvariantCulture)} can't be read: {unread.Message}", unread);
        }
    }

    /// <summary>Writes what is left.</summary>
    public void Dispose()
    {
        lock (gate)
            Write();
    }

    private void Write()
    {
        if (pending.Jobs == 0)
            return;
        var file = FileOf(DateOnly.FromDateTime(pending.Time.UtcDateTime));
        var line = string.Create(CultureInfo.InvariantCulture, $"{pending.Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)},{pending.Jobs}\n");
        pending = default;
        try
        {
            if (!File.Exists(file))
                Begin(file);
            File.AppendAllText(file, line);
            failed = false;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            if (!failed)
                LogUnwritten(full, folder);
            failed = true;
        }
    }

    private void Begin(string file)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(file, Head + "\n");
        foreach (var (_, old) in Files().OrderByDescending(f => f.Day).Skip(MostDays))
            File.Delete(old);
    }

    private IEnumerable<(DateOnly Day, string File)> Files()
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (var file in Directory.EnumerateFiles(folder, "*.csv"))
        {
            if (DateOnly.TryParseExact(Path.GetFileNameWithoutExtension(file), DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
                yield return (day, file);
        }
    }

    private string FileOf(DateOnly day) => Path.Combine(folder, day.ToString(DayFormat, CultureInfo.InvariantCulture) + ".csv");

    private static ArrivalCount? Parse(string line) =>
        line.Split(',') is [var at, var count]
        && DateTimeOffset.TryParseExact(at, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var second)
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var jobs)
            ? new ArrivalCount(second, jobs)
            : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Arrivals can't be written to {Folder}; the trace of today has a gap")]
    private partial void LogUnwritten(Exception exception, string folder);
}
