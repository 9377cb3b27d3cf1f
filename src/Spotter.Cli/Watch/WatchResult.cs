using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Cli.Remote;
using Spotter.Vision;

namespace Spotter.Cli.Watch;

/// <summary>What became of one picture: a line of <c>watch --json</c>, and the state that goes to a broker.</summary>
/// <param name="Name">The source's name.</param>
/// <param name="Time">When the picture came.</param>
/// <param name="File">The file that it was read from; null for one of a camera.</param>
/// <param name="Job">The job's id; null when the service did not take the picture.</param>
/// <param name="State">As the job's; <c>refused</c> when there is no job.</param>
/// <param name="Count">How many objects were found.</param>
/// <param name="Counts">The number for each label; of a model that classifies, the most likely label.</param>
/// <param name="Objects">The objects, the most confident first.</param>
/// <param name="Dropped">Pictures so far that were replaced by newer ones before they were sent.</param>
/// <param name="Error">Why there is no result; null when there is one.</param>
internal sealed record WatchResult(
    string Name,
    DateTimeOffset Time,
    string? File,
    string? Job,
    string State,
    int Count,
    IReadOnlyDictionary<string, int> Counts,
    IReadOnlyList<WatchedObject> Objects,
    long Dropped,
    ServiceProblem? Error)
{
    private static readonly IReadOnlyDictionary<string, int> None = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>The result in words, where it has some that are no counts: a text that was read, classes of pixels, a range of values.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Words { get; init; }

    /// <summary>What a job's end says.</summary>
    public static WatchResult Of(string name, Frame frame, ServiceJob job, long dropped)
    {
        var result = job.State == "succeeded" ? Read(job.Result) : null;
        var counts = result?.Labels is [var best, ..] ? new Dictionary<string, int>(StringComparer.Ordinal) { [best.Name] = 1 }
            : result?.Detections is { } found ? VisionResult.Summarize(found)
            : None;
        IReadOnlyList<WatchedObject> objects = [.. (result?.Detections ?? []).Select(d => new WatchedObject(d.Label, d.Confidence, d.Box))];
        return new(name, frame.Time, frame.File, job.Id, job.State, objects.Count, counts, objects, dropped, job.State == "succeeded" ? null : job.Error ?? new(null, $"The job is {job.State}."))
        {
            Words = result is { Detections: null, Labels: null } ? OutputLine.Words(result) : null,
        };
    }

    /// <summary>A picture that the service did not take, or has forgotten.</summary>
    public static WatchResult Refused(string name, Frame frame, ServiceProblem why, long dropped, string? job = null) =>
        new(name, frame.Time, frame.File, job, "refused", 0, None, [], dropped, why);

    /// <summary>The line for people.</summary>
    /// <param name="zone">Where they live.</param>
    public string Line(TimeZoneInfo zone)
    {
        var what = Error is { } error ? $"failed: {(error.Detail ?? error.Code ?? "the service says no reason").TrimEnd('.')}"
            : Words ?? (Counts.Count == 0 ? "nothing found" : string.Join(", ", Counts.Select(pair => Number(pair.Value, pair.Key))));
        var which = File is null ? Name : Path.GetFileName(File);
        return string.Create(CultureInfo.InvariantCulture, $"{TimeZoneInfo.ConvertTime(Time, zone):HH:mm:ss}  {which}: {what}{(Job is null ? "" : $" (job {Job})")}");
    }

    /// <summary>Such as <c>2 persons</c>, <c>3 buses</c>.</summary>
    internal static string Number(int count, string label)
    {
        if (count == 1)
            return $"1 {label}";
        var ending = label.EndsWith('s') || label.EndsWith('x') || label.EndsWith("ch", StringComparison.Ordinal) || label.EndsWith("sh", StringComparison.Ordinal) ? "es" : "s";
        return string.Create(CultureInfo.InvariantCulture, $"{count} {label}{ending}");
    }

    /// <summary>The result as models give it; null for one of another kind of engine.</summary>
    private static VisionResult? Read(JsonElement? result)
    {
        try
        {
            return result is { ValueKind: JsonValueKind.Object } json ? json.Deserialize(VisionJson.Default.VisionResult) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>An object in a picture.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Box">Where it is, in pixels of the upright picture.</param>
internal sealed record WatchedObject(string Label, double Confidence, Box Box);
