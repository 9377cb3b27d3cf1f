using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Tells YOLACT (arXiv 1904.02689), whose boxes count from prepared ones that are an output too: boxes <c>[1, n, 4]</c>, scores
/// <c>[1, n, 1 + classes]</c>, coefficients <c>[1, n, k]</c>, prepared boxes <c>[n, 4]</c> and prototypes <c>[1, h, w, k]</c>, in any order.
/// </summary>
internal static class PriorRules
{
    /// <summary>The reading; null when the outputs are none.</summary>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        if (outputs.Count != 5 || !outputs.All(o => o.IsNumeric))
            return null;
        int prototypes = Only(o => o.Shape is [1, > 4, > 4, > 1 and <= 512]), priors = Only(o => o.Shape is [> 0, 4]);
        if (prototypes < 0 || priors < 0)
            return null;
        var (rows, numbers) = (outputs[priors].Shape[0], outputs[prototypes].Shape[3]);
        int boxes = Only(o => o.Shape.AsSpan().SequenceEqual([1, rows, 4]));
        var rest = Enumerable.Range(0, outputs.Count).Where(i => i != prototypes && i != priors && i != boxes && outputs[i].Shape is [1, var all, > 1] && all == rows).ToList();
        if (boxes < 0 || rest is not [var one, var other])
            return null;
        // With as many classes as coefficients only the names tell.
        var coefficients = outputs[one].Shape[2] != numbers ? other : outputs[other].Shape[2] != numbers ? one
            : outputs[one].Says("mask", "coef") ? one : outputs[other].Says("mask", "coef") ? other : -1;
        if (coefficients < 0 || outputs[coefficients].Shape[2] != numbers)
            return null;
        var scores = coefficients == one ? other : one;
        var classes = (int)outputs[scores].Shape[2];
        return (hints.Names ?? classes - 1) == classes - 1
            ? new(OutputLayout.Priors, FamilyNames.Yolact, VisionTasks.Segment, [boxes, prototypes, coefficients, priors, scores], classes, (int)numbers)
            : null;

        int Only(Predicate<OrtPort> such)
        {
            var found = -1;
            for (var i = 0; i < outputs.Count; i++)
            {
                if (!such(outputs[i]))
                    continue;
                if (found >= 0)
                    return -1;
                found = i;
            }
            return found;
        }
    }
}
