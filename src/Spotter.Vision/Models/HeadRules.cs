using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>How the numbers of a detector's heads make a box.</summary>
internal enum HeadKind
{
    /// <summary>A distribution for the distance of each side (NanoDet, PicoDet).</summary>
    Distributions,

    /// <summary>The distance of each side, in cells (SCRFD).</summary>
    Distances,

    /// <summary>Centre and the logarithm of the size, in cells; a score and an objectness (YuNet).</summary>
    Centres,

    /// <summary>Centre and the logarithm of the size, in parts of prepared boxes (RetinaFace, an SSD).</summary>
    Priors,
}

/// <summary>The outputs for one stride of a detector; indexes are those of <see cref="ModelMetadata.Outputs"/>, -1 for one that is not there.</summary>
/// <param name="Stride">Pixels of the input from one cell to the next.</param>
/// <param name="PerCell">Boxes in each cell.</param>
/// <param name="First">Row at which its boxes begin, where heads share an output.</param>
/// <param name="Scores">Which output has the scores.</param>
/// <param name="Objectness">Which says whether there is anything.</param>
/// <param name="Boxes">Which has the boxes.</param>
/// <param name="Points">Which has the landmarks.</param>
internal sealed record Head(int Stride, int PerCell, int First, int Scores, int Objectness, int Boxes, int Points);

/// <summary>
/// Tells detectors whose outputs are one for each stride, or for each quantity: by the number of rows, which says the stride, by how
/// many numbers are in each, and by their names where they say more. The order of the outputs does not matter.
/// </summary>
internal static class HeadRules
{
    /// <summary>Numbers of five landmarks of a face.</summary>
    public const int Landmarks = 10;

    /// <summary>The sizes of the prepared boxes of RetinaFace (arXiv 1905.00641), in pixels, by stride.</summary>
    public static IReadOnlyDictionary<int, int[]> FacePriors { get; } = new Dictionary<int, int[]> { [8] = [16, 32], [16] = [64, 128], [32] = [256, 512] };

    private static readonly int[] Bins = [8, 11, 16, 17];

    /// <summary>The heads; null when the outputs are none.</summary>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints) =>
        PerStride(outputs, hints) ?? RetinaFace(outputs, hints);

    private static LayoutGuess? PerStride(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var groups = new SortedDictionary<int, List<int>>();
        var perCell = 0;
        for (var i = 0; i < outputs.Count; i++)
        {
            if (!outputs[i].IsNumeric || outputs[i].Shape is not ([1, > 0, > 0] or [> 1, > 0]))
                return null;
            if (StrideOf(outputs[i].Shape[^2], hints, perCell) is not var (stride, each))
                return null;
            perCell = each;
            groups.TryAdd(stride, []);
            groups[stride].Add(i);
        }
        if (groups.Count < 2 || groups.Values.First().Count is not (2 or 3 or 4))
            return null;
        List<Head> heads = [];
        List<int> order = [];
        (HeadKind Kind, int Classes, int Extras)? all = null;
        foreach (var (stride, group) in groups)
        {
            if (OfStride(outputs, group, hints) is not { } told || (all is { } before && before != (told.Kind, told.Classes, told.Extras)))
                return null;
            all = (told.Kind, told.Classes, told.Extras);
            heads.Add(new Head(stride, perCell, 0, Place(told.Scores), Place(told.Objectness), Place(told.Boxes), Place(told.Points)));
        }
        var (kind, classes, extras) = all!.Value;
        if (hints.Names is { } names && names != classes)
            return null;
        var (family, task) = kind switch
        {
            HeadKind.Distributions => (FamilyNames.NanoDet, VisionTasks.Detect),
            HeadKind.Distances => (FamilyNames.Scrfd, extras > 0 ? VisionTasks.Pose : VisionTasks.Detect),
            _ => (FamilyNames.YuNet, VisionTasks.Pose),
        };
        return new(OutputLayout.Heads, family, task, [.. order], classes, extras) { HeadKind = kind, Heads = heads, CellOffset = kind == HeadKind.Distributions ? 0.5f : 0 };

        int Place(int output)
        {
            if (output < 0)
                return -1;
            order.Add(output);
            return order.Count - 1;
        }
    }

    private sealed record Told(HeadKind Kind, int Classes, int Extras, int Scores, int Objectness, int Boxes, int Points);

    private static Told? OfStride(IReadOnlyList<OrtPort> outputs, List<int> group, LayoutHints hints)
    {
        int Numbers(int output) => (int)outputs[output].Shape[^1];
        int Only(Predicate<int> such) => group.FindAll(such) is [var one] ? one : -1;

        var points = Only(o => Numbers(o) == Landmarks);
        var boxes = Only(o => Numbers(o) == 4);
        var single = group.FindAll(o => Numbers(o) == 1);
        if (group.Count == 4 && points >= 0 && boxes >= 0 && single.Count == 2)
        {
            var objectness = single.Find(o => outputs[o].Says("obj"));
            var scores = single.Find(o => outputs[o].Says("cls", "score"));
            return objectness == scores ? null : new(HeadKind.Centres, 1, Landmarks, scores, objectness, boxes, points);
        }
        if (boxes >= 0 && single is [var score] && (group.Count == 2 || points >= 0))
            return new(HeadKind.Distances, 1, points >= 0 ? Landmarks : 0, score, -1, boxes, points);
        if (group is not [var one, var other])
            return null;
        // Of two outputs that could both be distributions, the name tells, or the number of names.
        foreach (var (sides, classes) in ((int, int)[])[(other, one), (one, other)])
        {
            var fits = Bins.Contains(Numbers(sides) / 4) && Numbers(sides) % 4 == 0 && !outputs[sides].Says("cls", "score", "conf");
            var clear = !Bins.Contains(Numbers(classes) / 4) || Numbers(classes) % 4 != 0
                || outputs[sides].Says("dis", "reg", "box", "loc") || outputs[classes].Says("cls", "score", "conf") || hints.Names == Numbers(classes);
            if (fits && clear && (hints.Names ?? Numbers(classes)) == Numbers(classes))
                return new(HeadKind.Distributions, Numbers(classes), Numbers(sides), classes, -1, sides, -1);
        }
        return null;
    }

    /// <summary>Boxes, two scores and landmarks for all strides together, with two boxes per cell.</summary>
    private static LayoutGuess? RetinaFace(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var rows = 2 * AnchorGrid.Cells(hints.Width, hints.Height, AnchorGrid.Strides, partial: true);
        int boxes = Find(4), scores = Find(2), points = Find(Landmarks);
        if (outputs.Count != 3 || boxes < 0 || scores < 0 || points < 0)
            return null;
        List<Head> heads = [];
        var first = 0;
        foreach (var stride in AnchorGrid.Strides)
        {
            heads.Add(new Head(stride, 2, first, Scores: 1, Objectness: -1, Boxes: 0, Points: 2));
            first += 2 * AnchorGrid.Along(hints.Width, stride, partial: true) * AnchorGrid.Along(hints.Height, stride, partial: true);
        }
        return new(OutputLayout.Heads, FamilyNames.RetinaFace, VisionTasks.Pose, [boxes, scores, points], 1, Landmarks) { HeadKind = HeadKind.Priors, Heads = heads };

        int Find(int numbers)
        {
            for (var i = 0; i < outputs.Count; i++)
            {
                if (outputs[i].IsNumeric && outputs[i].Shape.AsSpan().SequenceEqual([1, rows, numbers]))
                    return i;
            }
            return -1;
        }
    }

    /// <summary>The stride of a head with so many rows, and how many boxes there are in a cell.</summary>
    private static (int Stride, int PerCell)? StrideOf(long rows, LayoutHints hints, int perCell)
    {
        foreach (var stride in (int[])[8, 16, 32, 64, 4, 128])
        {
            var cells = AnchorGrid.Along(hints.Width, stride, partial: true) * AnchorGrid.Along(hints.Height, stride, partial: true);
            if (perCell is 0 or 1 && rows == cells)
                return (stride, 1);
        }
        foreach (var stride in AnchorGrid.Strides)
        {
            var cells = AnchorGrid.Along(hints.Width, stride, partial: true) * AnchorGrid.Along(hints.Height, stride, partial: true);
            if (perCell is 0 or 2 && rows == 2 * cells)
                return (stride, 2);
        }
        return null;
    }
}
