using System.Text.Json.Serialization;

namespace Spotter.Vision;

/// <summary>A rectangle in pixels of the upright picture (EXIF orientation applied), origin top left.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Top edge.</param>
/// <param name="X2">Right edge, at least <paramref name="X1"/>.</param>
/// <param name="Y2">Bottom edge, at least <paramref name="Y1"/>.</param>
public readonly record struct Box(double X1, double Y1, double X2, double Y2);

/// <summary>One object that was found.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="ClassId">The class's index in the model's output.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Box">Where it is.</param>
public sealed record Detection(string Label, int ClassId, double Confidence, Box Box)
{
    /// <summary>Which pixels are its own; null unless the model segments.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Mask? Mask { get; init; }

    /// <summary>Its keypoints; null unless the model finds poses.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Keypoint>? Keypoints { get; init; }

    /// <summary>The names of the zones that it stands in; null when none were asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Zones { get; init; }

    /// <summary>The file of the job that shows it alone; null when none was asked for, and beyond the most that are cut out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Crop { get; init; }

    /// <summary>What the second model says about it; null when none was asked, and for what it was not shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ThenResult? Then { get; init; }

    /// <summary>Its turned box, around which <see cref="Box"/> lies upright; null unless the model finds such.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OrientedBox? Oriented { get; init; }
}

/// <summary>One answer about the picture as a whole.</summary>
/// <param name="Name">The class's name.</param>
/// <param name="ClassId">The class's index in the model's output.</param>
/// <param name="Confidence">0 to 1.</param>
public sealed record Label([property: JsonPropertyName("label")] string Name, int ClassId, double Confidence);

/// <summary>What an engine has to say about one picture.</summary>
public sealed record VisionResult
{
    /// <summary>Width of the upright picture in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the upright picture in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Objects, the most confident first; empty when none was found; null when the engine finds no objects.</summary>
    public IReadOnlyList<Detection>? Detections { get; init; }

    /// <summary>Labels of the whole picture, the most confident first; null when the engine gives none.</summary>
    public IReadOnlyList<Label>? Labels { get; init; }

    /// <summary>The line of text that the picture shows; null unless the engine reads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Reading? Reading { get; init; }

    /// <summary>Number of detections per label, in the order in which labels first appear.</summary>
    public IReadOnlyDictionary<string, int>? Summary { get; init; }

    /// <summary>Pairs of keypoints, by their index, between which a line is drawn; null unless the model finds poses.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<int>>? Skeleton { get; init; }

    /// <summary>The classes that pixels belong to, the largest first; null unless the model maps classes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ClassRegion>? Regions { get; init; }

    /// <summary>The map of the picture; null unless the model makes one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PictureMap? Map { get; init; }

    /// <summary>The picture as a vector of length 1; null unless the model makes one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? Embedding { get; init; }

    /// <summary>Number of detections per label in each zone that was asked for; null when none was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>>? Zones { get; init; }

    /// <summary>How many detections the second model has looked at; null when none was asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ThenSummary? Then { get; init; }

    /// <summary>Counts <paramref name="detections"/> per label, in order of first appearance.</summary>
    public static IReadOnlyDictionary<string, int> Summarize(IEnumerable<Detection> detections)
    {
        var counts = new OrderedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var detection in detections)
            counts[detection.Label] = counts.GetValueOrDefault(detection.Label) + 1;
        return counts;
    }
}
