using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Spotter.Cli.Remote;
using Spotter.Core;

namespace Spotter.Cli.Queue;

/// <summary>The queue for people's eyes.</summary>
internal static partial class QueueTables
{
    private const int LongestDetail = 100;

    /// <summary>Every figure that the service tells, in its order.</summary>
    public static TextTable Stats(JsonElement stats)
    {
        if (stats.ValueKind != JsonValueKind.Object)
            throw Strange("its figures");
        var table = new TextTable("what", "number");
        foreach (var figure in stats.EnumerateObject().Where(f => f.Value.ValueKind is JsonValueKind.Number or JsonValueKind.String))
            table.Add(Hump().Replace(figure.Name, match => " " + char.ToLowerInvariant(match.Value[0])), figure.Value.ToString());
        return table;
    }

    /// <summary>Jobs with where they stand.</summary>
    public static TextTable Jobs(IReadOnlyList<JsonElement> jobs, DateTimeOffset now)
    {
        var table = new TextTable("id", "state", "engine", "model", "priority", "attempts", "age", "place", "expected", "picture", "error");
        foreach (var job in jobs.Select(Read))
        {
            table.Add(
                job.Id, job.State, job.Engine ?? "", job.Model ?? "", job.Priority ?? "", Number(job.Attempts), Age(now - job.Created),
                job.Position is { } place ? Number(place) : "", job.EtaSeconds is { } eta ? Age(TimeSpan.FromSeconds(eta)) : job.WaitsFor is null ? "" : "no worker",
                job.Name ?? "", job.Error?.Code ?? "");
        }
        return table;
    }

    /// <summary>Dead jobs with the reason.</summary>
    public static TextTable Dead(IReadOnlyList<JsonElement> jobs, DateTimeOffset now)
    {
        var table = new TextTable("id", "engine", "model", "attempts", "died", "picture", "error", "detail");
        foreach (var job in jobs.Select(Read))
        {
            table.Add(
                job.Id, job.Engine ?? "", job.Model ?? "", Number(job.Attempts), Age(now - (job.Finished ?? now)) + " ago",
                job.Name ?? "", job.Error?.Code ?? "", Short(job.Error?.Detail ?? ""));
        }
        return table;
    }

    /// <summary>A number of things, in words.</summary>
    public static string Count(int jobs) => jobs == 1 ? "1 job" : $"{Number(jobs)} jobs";

    /// <summary>A duration in its largest unit.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        _ when age < TimeSpan.FromSeconds(0.95) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, age.TotalSeconds):0.0} s"),
        _ when age < TimeSpan.FromMinutes(2) => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0} s"),
        _ when age < TimeSpan.FromHours(2) => string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:0} min"),
        _ when age < TimeSpan.FromDays(2) => string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:0} d"),
    };

    /// <exception cref="SpotterException">It is no job.</exception>
    private static ServiceJob Read(JsonElement job)
    {
        try
        {
            return job.Deserialize(ServiceJson.Default.ServiceJob) ?? throw new JsonException("the job is null");
        }
        catch (JsonException strange)
        {
            throw Strange("its jobs", strange);
        }
    }

    private static SpotterException Strange(string what, Exception? inner = null) =>
        new(ErrorCodes.StoreUnavailable, $"The service does not describe {what} as a Spotter service does; check --url.", inner);

    private static string Short(string text) => text.Length <= LongestDetail ? text : text[..LongestDetail] + "…";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("[A-Z]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hump();
}
