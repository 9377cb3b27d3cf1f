using System.Text.Json.Serialization;

namespace Spotter.Vision;

/// <summary>What a second model has to say about one detection, in pixels of the whole picture.</summary>
/// <param name="Model">The second model.</param>
public sealed record ThenResult(string Model)
{
    /// <summary>Objects within the box, the most confident first; null when the second model finds none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Detection>? Detections { get; init; }

    /// <summary>Labels of the box, the most confident first; null when the second model gives none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Label>? Labels { get; init; }

    /// <summary>The line of text in the box; null unless the second model reads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Reading? Reading { get; init; }
    /// <summary>The box as a vector of length 1; null unless the second model makes one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? Embedding { get; init; }

    /// <summary>Pairs of keypoints, by their index, between which a line is drawn; null unless the second model finds poses.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<int>>? Skeleton { get; init; }
}

/// <summary>How many detections a second model has looked at.</summary>
/// <param name="Model">The second model.</param>
/// <param name="Looked">How many it has looked at.</param>
/// <param name="LeftOut">How many it would have looked at besides, were there no limit.</param>
public sealed record ThenSummary(string Model, int Looked, int LeftOut);
