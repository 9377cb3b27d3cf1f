using System.Text.Json.Serialization;

namespace Spotter.Vision;

/// <summary>What is asked of a model about a picture.</summary>
public sealed record VisionParameters
{
    /// <summary>Detections below this confidence are left out; 0 to 1.</summary>
    public double Confidence { get; init; } = 0.25;

    /// <summary>For these labels, what <see cref="Confidence"/> is for all others; it may be less.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? Thresholds { get; init; }

    /// <summary>Of two boxes of one class that overlap more than this, the less confident is left out; 0 to 1.</summary>
    public double Iou { get; init; } = 0.45;

    /// <summary>Of two boxes that overlap more than <see cref="Iou"/>, the less confident is left out even if their classes differ.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Agnostic { get; init; }

    /// <summary>Only these labels; null for all.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>How many labels of the whole picture are given, the most confident first; for engines that classify.</summary>
    public int Top { get; init; } = 5;

    /// <summary>
    /// Look at the picture in overlapping squares with this edge in pixels, so that small things in large pictures are
    /// found; null to look at it as a whole.
    /// </summary>
    public int? Tile { get; init; }

    /// <summary>The share of a tile that the next one covers again; 0 to 0.9.</summary>
    public double Overlap { get; init; } = 0.2;

    /// <summary>Look at this part of the picture only; null for all of it.</summary>
    public Region? Region { get; init; }

    /// <summary>Say which of these each detection is in; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Zone>? Zones { get; init; }

    /// <summary>Make the boxes of these labels unrecognisable wherever the picture is drawn or cut out; <c>*</c> for all labels, null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Redact { get; init; }

    /// <summary>How that is done.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public RedactionKind RedactWith { get; init; }

    /// <summary>Cut out the box of each detection, as a picture of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Crops { get; init; }

    /// <summary>The id of a second model that looks at the box of each detection; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Then { get; init; }

    /// <summary>It looks at detections of these labels only; null for all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ThenLabels { get; init; }

    /// <summary>Draw the picture together with the result, not on first request.</summary>
    public bool Annotate { get; init; }

    /// <summary>In <see cref="Redact"/>: all labels.</summary>
    public const string AllLabels = "*";

    /// <summary>True when what is asked for is more than one run of one model gives.</summary>
    [JsonIgnore]
    public bool RunsAlone => Crops || Then is not null;

    /// <summary>True when the whole picture is needed at full size after it was looked at.</summary>
    [JsonIgnore]
    public bool NeedsPicture => Annotate || Crops || Then is not null;

    /// <summary>Below this no detection counts, whatever its label.</summary>
    [JsonIgnore]
    public double LeastConfidence => Math.Min(Confidence, Thresholds is { Count: > 0 } all ? all.Values.Min() : 1);
}
