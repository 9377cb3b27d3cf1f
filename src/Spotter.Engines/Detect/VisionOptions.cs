using Spotter.Engines.Options;
using Spotter.Vision;
using Spotter.Vision.Annotation;
using Spotter.Vision.Inference;

namespace Spotter.Engines.Detect;

/// <summary>The options of all engines that run a model on a picture.</summary>
public static class VisionOptions
{
    /// <summary>The option that the command line says with a folder to write to instead.</summary>
    public const string Annotate = "annotate";

    /// <summary>The options.</summary>
    public static OptionSet<VisionParameters> Declared { get; } = new(new VisionParameters())
    {
        { "confidence", "Least confidence of a detection", OptionValues.Fraction(), p => p.Confidence, (p, v) => p with { Confidence = v } },
        {
            "thresholds", "Least confidence of these labels, in place of `confidence`, which all others take; it may be lower", Thresholds.Values,
            p => p.Thresholds, (p, v) => p with { Thresholds = v }
        },
        {
            "iou", "Overlap above which the less confident of two boxes of one label is left out", OptionValues.Fraction(),
            p => p.Iou, (p, v) => p with { Iou = v }
        },
        { "agnostic", "Compare boxes of different labels too: of two that overlap more than `iou`, the less confident is left out", OptionValues.Flag, p => p.Agnostic, (p, v) => p with { Agnostic = v } },
        {
            "labels", "Only these labels; all by default", OptionValues.List("labels of the model, separated by commas"),
            p => p.Labels, (p, v) => p with { Labels = v }, OptionTraits.Repeats
        },
        { "top", "How many labels a classifier gives", OptionValues.Whole(1, 1000), p => p.Top, (p, v) => p with { Top = v } },
        {
            "tile", "Look at the picture in overlapping squares with this edge in pixels, for small things in large pictures; at all of it by default",
            OptionValues.Whole(64, 16_384), p => p.Tile, (p, v) => p with { Tile = v }
        },
        { "overlap", "The share of a tile that the next one covers again", OptionValues.Fraction(0.9), p => p.Overlap, (p, v) => p with { Overlap = v } },
        // Whether it lies in the picture is seen when that is decoded.
        {
            "roi", "Look at this part of the upright picture only; at all of it by default",
            OptionValues.Of("x,y,width,height in whole pixels", OptionType.Text, text => (Region.Parse(text) is { } region, Region.Parse(text))),
            p => p.Region, (p, v) => p with { Region = v }
        },
        {
            "zones", "Say which of these polygons each detection stands in (with the middle of its lower edge), and how many of each label do", ZoneText.Values,
            p => p.Zones, (p, v) => p with { Zones = v }
        },
        {
            "redact", "Make the boxes of these labels unrecognisable in the drawn picture and in crops; `*` for all. The picture as sent stays stored as it is",
            OptionValues.List("labels of the model separated by commas, or *"), p => p.Redact, (p, v) => p with { Redact = v }, OptionTraits.Repeats
        },
        {
            "redact_with", "How `redact` does it: only fill leaves nothing of what was there",
            OptionValues.Choice(("blur", RedactionKind.Blur), ("pixelate", RedactionKind.Pixelate), ("fill", RedactionKind.Fill)), p => p.RedactWith, (p, v) => p with { RedactWith = v }
        },
        { "crops", $"Cut out the box of each detection, the {Crops.Most} most confident at most, as JPEG files of the job (`outputs`)", OptionValues.Flag, p => p.Crops, (p, v) => p with { Crops = v } },
        {
            "then", $"A second model that looks at the box of each detection, the {VisionModel.MostLooks} most confident at most, with a tenth of its edges around it; one that reads text sees all of them, straightened", OptionValues.Any("a model's id"),
            p => p.Then, (p, v) => p with { Then = v.Length == 0 ? null : v }
        },
        {
            "then_labels", "The second model looks at these labels only; at all by default", OptionValues.List("labels of the model, separated by commas"),
            p => p.ThenLabels, (p, v) => p with { ThenLabels = v }, OptionTraits.Repeats
        },
        { Annotate, "Draw the picture at once, not on first request", OptionValues.Flag, p => p.Annotate, (p, v) => p with { Annotate = v }, OptionTraits.KeepsResult },
    };
}
