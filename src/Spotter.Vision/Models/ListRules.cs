using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>Tells boxes, labels and scores, each an output of its own, with suppression done or not needed.</summary>
internal static class ListRules
{
    /// <summary>The reading; null when the outputs are none.</summary>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        int boxes = -1, labels = -1, scores = -1, count = -1;
        var unnamed = new List<int>();
        for (var i = 0; i < outputs.Count; i++)
        {
            var port = outputs[i];
            if (!port.IsNumeric || port.Says("raw", "multiclass", "anchor", "mask", "keypoint"))
                continue;
            if (port.Shape is [.., 4] && port.Shape.Length is 2 or 3 && boxes < 0)
                boxes = i;
            else if (port.Says("num") && port.Shape.All(d => d is 1 or -1) && count < 0)
                count = i;
            else if (!IsList(port))
                continue;
            else if (port.Says("score", "conf") && scores < 0)
                scores = i;
            else if ((port.Says("label", "class") || port.Type is OrtPort.Int64 or OrtPort.Int32) && labels < 0)
                labels = i;
            else
                unnamed.Add(i);
        }
        foreach (var list in unnamed)
        {
            if (labels < 0)
                labels = list;
            else if (scores < 0)
                scores = list;
        }
        if (boxes < 0 || labels < 0 || scores < 0)
            return null;
        // The names that TensorRT's and super-gradients' suppression give, which end exports of YOLO.
        var yolo = outputs[boxes].Says("det_boxes", "pred_boxes", "nmsed_boxes");
        var family = hints.IsToldSize ? FamilyNames.RtDetr : yolo ? FamilyNames.EndToEnd : FamilyNames.Ssd;
        return new(OutputLayout.Lists, family, VisionTasks.Detect, count < 0 ? [boxes, labels, scores] : [boxes, labels, scores, count], hints.Names ?? 0);
    }

    /// <summary>One number per box, for one picture: <c>[n]</c>, <c>[1, n]</c> or <c>[1, n, 1]</c>.</summary>
    private static bool IsList(OrtPort port) => port.Shape is [_] or [1 or -1, _] or [1 or -1, _, 1];
}
