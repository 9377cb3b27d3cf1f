using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>Tells boxes and scores as two outputs for the same anchors or queries.</summary>
internal static class PairRules
{
    /// <summary>The readings that fit.</summary>
    public static IEnumerable<LayoutGuess> Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        for (var b = 0; b < outputs.Count; b++)
        {
            if (outputs[b] is not { IsNumeric: true, Shape: [1, > 0 and var count, .. var single, 4] } || single is not ([] or [1]))
                continue;
            for (var s = 0; s < outputs.Count; s++)
            {
                if (s == b || outputs[s] is not { IsNumeric: true, Shape: [1, var scored, > 0 and var classes] } || scored != count)
                    continue;
                // Two outputs of four numbers each: the name says which is the box.
                if (classes == 4 && outputs[s].Name.Contains("box", StringComparison.OrdinalIgnoreCase))
                    continue;
                if (AnchorGrid.Fits(count, hints.Width, hints.Height, 1))
                {
                    yield return new(OutputLayout.CornersAndScores, FamilyNames.YoloNas, VisionTasks.Detect, [b, s], (int)classes);
                    continue;
                }
                if (AnchorGrid.Fits(count, hints.Width, hints.Height, 3))
                {
                    yield return new(OutputLayout.CornersAndScores, FamilyNames.YoloV4, VisionTasks.Detect, [b, s], (int)classes);
                    continue;
                }
                // No DETR has more queries than this; an SSD without suppression has, and scores that there is nothing besides.
                if (count > 1000)
                {
                    if (classes > 1)
                        yield return new(OutputLayout.CornersAndScores, classes == 2 ? FamilyNames.UltraFace : FamilyNames.Ssd, VisionTasks.Detect, [b, s], (int)classes);
                    continue;
                }
                var family = FamilyOf(outputs[s], count, classes);
                yield return new(OutputLayout.Queries, family, VisionTasks.Detect, [b, s], (int)classes);
                yield return new(OutputLayout.Queries, family == FamilyNames.Detr ? FamilyNames.RtDetr : FamilyNames.Detr, VisionTasks.Detect, [b, s], (int)classes);
            }
        }
    }

    /// <summary>
    /// RT-DETR and D-FINE from RF-DETR and DETR, which want their pictures prepared otherwise: the former score the 80
    /// classes of COCO where the latter score its 91 numbers, and Hugging Face's exports of them ask 300 queries where
    /// those of DETR ask 100 (transformers, configuration files of the published checkpoints).
    /// </summary>
    private static string FamilyOf(OrtPort scores, long queries, long classes) =>
        classes == LabelSets.Coco.Count || (queries == 300 && classes is not (91 or 92) && scores.Says("logits")) ? FamilyNames.RtDetr : FamilyNames.Detr;
}
