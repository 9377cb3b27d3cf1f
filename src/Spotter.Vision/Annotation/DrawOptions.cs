using System.Text.Json.Serialization;

namespace Spotter.Vision.Annotation;

/// <summary>What is drawn besides a result.</summary>
public sealed record DrawOptions
{
    /// <summary>The zones that were asked for; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Zone>? Zones { get; init; }

    /// <summary>What goes with a job of these parameters.</summary>
    public static DrawOptions Of(VisionParameters parameters) => new() { Zones = parameters.Zones };
}
