using System.Text.Json.Serialization;

namespace Spotter.Vision.Annotation;

/// <summary>What is drawn besides a result, and what is hidden before.</summary>
public sealed record DrawOptions
{
    /// <summary>The zones that were asked for; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Zone>? Zones { get; init; }

    /// <summary>The boxes that are made unrecognisable first, whatever is drawn of the result; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Box>? Redacted { get; init; }

    /// <summary>How that is done.</summary>
    public RedactionKind RedactWith { get; init; }

    /// <summary>What goes with a job.</summary>
    /// <param name="parameters">What was asked for.</param>
    /// <param name="result">All that was found.</param>
    public static DrawOptions Of(VisionParameters parameters, VisionResult result) => new()
    {
        Zones = parameters.Zones,
        Redacted = parameters.Redact is { } labels ? [.. BoxesOf(result.Detections, labels), .. UnseenIn(result, parameters.ThenLabels)] : null,
        RedactWith = parameters.RedactWith,
    };

    /// <summary>The result without what was read in boxes that are hidden, which their labels would tell.</summary>
    internal VisionResult WithoutRedacted(VisionResult result) => Redacted is not { Count: > 0 } hidden || result.Detections is not { } all
        ? result
        : result with { Detections = [.. all.Select(d => d.Then?.Reading is not null && hidden.Contains(d.Box) ? d with { Then = null } : d)] };

    private static IEnumerable<Box> BoxesOf(IReadOnlyList<Detection>? detections, IReadOnlyList<string> labels) => (detections ?? []).SelectMany(d =>
        (labels.Contains(VisionParameters.AllLabels, StringComparer.Ordinal) || labels.Contains(d.Label, StringComparer.Ordinal) ? [d.Box] : Array.Empty<Box>())
            .Concat(BoxesOf(d.Then?.Detections, labels)));

    /// <summary>Boxes that a second model was to look at and has not: what it would have found there is hidden with them.</summary>
    private static IEnumerable<Box> UnseenIn(VisionResult result, IReadOnlyList<string>? thenLabels) =>
        result is { Then.LeftOut: > 0, Detections: { } all } && all.Any(d => d.Then?.Detections is not null)
            ? all.Where(d => d.Then is null && thenLabels?.Contains(d.Label, StringComparer.Ordinal) != false).Select(d => d.Box)
            : [];
}
