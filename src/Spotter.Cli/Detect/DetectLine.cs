using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Cli.Detect;

/// <summary>What <c>detect --json</c> prints for each picture; without a result, all but file, model and error is null.</summary>
/// <param name="File">As it was named.</param>
/// <param name="Model">The model's id.</param>
/// <param name="Width">Width of the upright picture in pixels.</param>
/// <param name="Height">Height of the upright picture in pixels.</param>
/// <param name="Detections">Objects, the most confident first; null when the model finds none but says something of the whole picture.</param>
/// <param name="Labels">Labels of the whole picture, the most confident first; null unless the model classifies.</param>
/// <param name="Summary">The objects' number per label.</param>
/// <param name="Timings">Where the time went, in milliseconds.</param>
/// <param name="Output">The annotated picture, or for labels the line of text, when one was written.</param>
/// <param name="Error">Why there is no result.</param>
internal sealed record DetectLine(
    string File,
    string Model,
    int? Width,
    int? Height,
    IReadOnlyList<Detection>? Detections,
    IReadOnlyList<Label>? Labels,
    IReadOnlyDictionary<string, int>? Summary,
    JobTimings? Timings,
    string? Output,
    JobError? Error)
{
    /// <summary>The line of text that the picture shows; only from models that read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Reading? Reading { get; init; }

    /// <summary>Number of detections per label in each zone; only where zones were given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>>? Zones { get; init; }

    /// <summary>The classes that pixels belong to; only from models that map them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ClassRegion>? Regions { get; init; }

    /// <summary>The map that was made; only from models that make one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PictureMap? Map { get; init; }

    /// <summary>The picture as a vector; only from models that make one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? Embedding { get; init; }

    /// <summary>How many objects the second model has looked at; only where one was given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ThenSummary? Then { get; init; }

    /// <summary>The result as a model gave it; null when there is none.</summary>
    [JsonIgnore]
    public VisionResult? Result { get; init; }

    /// <summary>What is said of the picture as a whole, where neither objects nor labels are, in a few words for people.</summary>
    [JsonIgnore]
    public string? Whole => Regions is not null || Map is not null ? OutputLine.Words(new VisionResult { Width = 0, Height = 0, Regions = Regions, Map = Map })
        : Embedding is { } vector ? $"{vector.Count} numbers" : null;

    /// <summary>Pairs of keypoints that are joined; only from models that find poses.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<int>>? Skeleton { get; init; }
}
