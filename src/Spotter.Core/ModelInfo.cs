using System.Text.Json.Serialization;

namespace Spotter.Core;

/// <summary>What is known of a model without running it: what the page, the API and the intake's checks need.</summary>
/// <param name="Id">The name by which requests choose it: its file name without extension.</param>
/// <param name="Engine">The engine that runs it, as <c>detect</c>.</param>
/// <param name="Family">How its output is laid out, as <c>yolov8</c>.</param>
/// <param name="InputWidth">Width of its input in pixels.</param>
/// <param name="InputHeight">Height of its input in pixels.</param>
/// <param name="Labels">The class names, indexed by class id.</param>
public sealed record ModelInfo(
    string Id, string Engine, string Family, int InputWidth, int InputHeight, IReadOnlyList<string> Labels)
{
    /// <summary>Longest id, in characters.</summary>
    public const int LongestId = 128;

    /// <summary>Most labels of a model.</summary>
    public const int MostLabels = 100_000;

    /// <summary>Longest label, in characters.</summary>
    public const int LongestLabel = 1000;

    /// <summary>True for what can be an id: it stands in addresses, names of queues, logs and terminals.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= LongestId } && id[0] != '.' && id.All(c => !char.IsControl(c) && c is not ('/' or '\\'));

    /// <summary>
    /// The first twelve hexadecimal digits of the SHA-256 of the model's file and of what overrides it, so that two
    /// versions under one id can be told apart.
    /// </summary>
    public string Version { get; init; } = "";

    /// <summary>Why what was found out about the model may be wrong, and what to say beside it; null where nothing speaks against it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unsure { get; init; }

    /// <summary>What the model itself takes and gives; null where nobody has looked, and where it is not all numbers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelTensors? Tensors { get; init; }

    /// <summary>What an engine is that a worker brings, which is known in the way of a model; null for a model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EngineDeclaration? Declared { get; init; }

    /// <summary>An engine that a worker brings, in the way of a model: it has the name of both.</summary>
    public static ModelInfo Of(EngineDeclaration engine) => new(engine.Name, engine.Name, "engine", 0, 0, []) { Version = engine.Version, Declared = engine };
}
