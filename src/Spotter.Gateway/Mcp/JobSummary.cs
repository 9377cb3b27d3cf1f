using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>A job in as few words as an assistant needs.</summary>
internal sealed record JobSummary
{
    private const int MostObjects = 100;
    private const int LongestResult = 16 * 1024;

    public required string Id { get; init; }

    public string? Name { get; init; }

    public required JobState State { get; init; }

    public required string Engine { get; init; }

    public string? Model { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Jobs ahead of it.</summary>
    public long? Position { get; init; }

    public double? EtaSeconds { get; init; }

    public string? WaitsFor { get; init; }

    /// <summary>Size of the upright picture in pixels.</summary>
    public int? Width { get; init; }

    public int? Height { get; init; }

    /// <summary>Number of objects per label.</summary>
    public IReadOnlyDictionary<string, int>? Counts { get; init; }

    /// <summary>What was found, the most confident first.</summary>
    public IReadOnlyList<FoundObject>? Objects { get; init; }

    /// <summary>How many objects are not listed, the least confident ones.</summary>
    public int? ObjectsLeftOut { get; init; }

    /// <summary>Labels of the picture as a whole.</summary>
    public IReadOnlyList<FoundLabel>? Labels { get; init; }

    /// <summary>The result of an engine of another kind.</summary>
    public RawJson? Result { get; init; }

    /// <summary>Why it did not succeed.</summary>
    public string? Error { get; init; }

    /// <summary>The summary of a job.</summary>
    public static JobSummary Of(JobStatus status)
    {
        var job = status.Job;
        var summary = new JobSummary
        {
            Id = job.Id.Value,
            Name = job.Name,
            State = job.State,
            Engine = job.Engine,
            Model = job.Model,
            Created = job.Created,
            Position = status.Position,
            EtaSeconds = status.EtaSeconds,
            WaitsFor = status.WaitsFor,
            Error = job.Error?.Detail,
        };
        if (job.Result is not { } result)
            return summary;
        if (!PictureResult.IsOf(job.Engine))
            return result.Utf8.Length <= LongestResult ? summary with { Result = result } : summary;
        var found = PictureResult.Of(job);
        return summary with
        {
            Width = found.Width,
            Height = found.Height,
            Counts = found.Summary,
            Objects = found.Detections is { } all ? [.. all.Take(MostObjects)] : null,
            ObjectsLeftOut = found.Detections?.Count > MostObjects ? found.Detections.Count - MostObjects : null,
            Labels = found.Labels is { } labels ? [.. labels.Take(MostObjects)] : null,
        };
    }

    /// <summary>For lists.</summary>
    public JobSummary WithoutObjects() => this with { Objects = null, ObjectsLeftOut = null, Result = null };
}

/// <summary>A page of jobs.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Next">Pass it as <c>after</c> for the next page; null on the last.</param>
internal sealed record JobSummaries(IReadOnlyList<JobSummary> Jobs, string? Next);

/// <summary>A model in a list.</summary>
internal sealed record ModelSummary(string Id, string? Engine, ModelState State, bool Default, int LabelCount, IReadOnlyList<string> FirstLabels, string? Error);

/// <summary>The models.</summary>
internal sealed record ModelSummaries(IReadOnlyList<ModelSummary> Models);

/// <summary>What a model finds.</summary>
internal sealed record ModelDetails(
    string Id, string? Engine, string? Family, string? Version, ModelState State, bool Default, int InputWidth, int InputHeight, int LabelCount, IReadOnlyList<string> Labels, string? Error);

/// <summary>How much there is to do.</summary>
internal sealed record QueueSummary(long Queued, long Running, long Succeeded, long Failed, long Dead, long Cancelled, double OldestQueuedSeconds, int Workers, int MaxWorkers, double JobsPerSecond);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(LowerCaseEnumConverter<ModelState>)])]
[JsonSerializable(typeof(JobSummary))]
[JsonSerializable(typeof(JobSummaries))]
[JsonSerializable(typeof(ModelSummaries))]
[JsonSerializable(typeof(ModelDetails))]
[JsonSerializable(typeof(QueueSummary))]
internal sealed partial class ToolJson : JsonSerializerContext;
