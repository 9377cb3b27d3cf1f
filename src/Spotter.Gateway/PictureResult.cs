using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>What doors that speak other protocols read of the result of a vision engine.</summary>
/// <param name="Width">Width of the upright picture in pixels.</param>
/// <param name="Height">Height of the upright picture in pixels.</param>
/// <param name="Detections">Objects, the most confident first; null when the engine finds no objects.</param>
/// <param name="Labels">Labels of the whole picture, the most confident first; null when the engine gives none.</param>
/// <param name="Summary">Number of objects per label, in the order in which they first appear.</param>
/// <param name="Reading">The line of text that the picture shows; null when the engine does not read.</param>
internal sealed record PictureResult(
    int Width, int Height, IReadOnlyList<FoundObject>? Detections = null, IReadOnlyList<FoundLabel>? Labels = null, IReadOnlyDictionary<string, int>? Summary = null, FoundText? Reading = null)
{
    /// <summary>The engines whose results have boxes.</summary>
    public static readonly IReadOnlyList<string> EnginesWithBoxes = ["detect", "segment", "pose", "obb"];

    /// <summary>The engine whose results are labels.</summary>
    public const string EngineWithLabels = "classify";

    /// <summary>The engine whose results are lines of text.</summary>
    public const string EngineWithText = "read";

    /// <summary>The engine whose results are vectors.</summary>
    public const string EngineWithVectors = "embed";

    /// <summary>The picture as a vector; null when the engine makes none.</summary>
    public IReadOnlyList<float>? Embedding { get; init; }

    /// <summary>True for an engine whose results these are.</summary>
    public static bool IsOf(string engine) => engine is EngineWithLabels or EngineWithText || EnginesWithBoxes.Contains(engine, StringComparer.Ordinal);

    /// <summary>The result of a job that has succeeded. To these doors a line of text is the picture's label.</summary>
    public static PictureResult Of(Job job)
    {
        var result = job.Result!.Value.Read(PictureResultJson.Default.PictureResult);
        return result.Reading is { } reading ? result with { Labels = reading.Text.Length == 0 ? [] : [new FoundLabel(reading.Text, 0, reading.Confidence)] } : result;
    }
}

/// <summary>A line of text that was read.</summary>
/// <param name="Text">The text; empty when there is none.</param>
/// <param name="Confidence">0 to 1.</param>
internal sealed record FoundText(string Text, double Confidence);

/// <summary>An object that was found.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="ClassId">The class's index.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Box">Where it is.</param>
internal sealed record FoundObject(string Label, int ClassId, double Confidence, FoundBox Box);

/// <summary>A rectangle in pixels of the upright picture, origin top left.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Top edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Bottom edge.</param>
internal readonly record struct FoundBox(double X1, double Y1, double X2, double Y2);

/// <summary>What a picture shows as a whole.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="ClassId">The class's index.</param>
/// <param name="Confidence">0 to 1.</param>
internal sealed record FoundLabel(string Label, int ClassId, double Confidence);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(PictureResult))]
internal sealed partial class PictureResultJson : JsonSerializerContext;
