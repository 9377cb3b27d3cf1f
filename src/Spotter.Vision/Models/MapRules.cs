using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Tells models that give a map of the picture: of classes, of depth, or of what stands out. All of their outputs are maps, of which the
/// first counts; those of an instance segmenter or a detector's bare heads differ in what they are.
/// </summary>
internal static class MapRules
{
    /// <summary>Most classes of a map: what a PNG of 16 bits holds, and one for none.</summary>
    public const int MostClasses = 65_535;

    // Cells of a map that was not said to be one are pixels of the input, or squares of these.
    private static readonly int[] Strides = [1, 2, 4, 8];

    // Of what outputs are named after that are none of these maps.
    private static readonly string[] Others = ["heat", "density", "normal", "flow", "anomal", "landmark", "keypoint", "offset", "recon", "displacement"];

    // Outputs of saliency models for each depth of their network: fewer than these are something else.
    private const int FewestSides = 5;

    /// <summary>The readings as a map, the likelier first; none when it is no map.</summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run.</param>
    /// <param name="hints">What else is known.</param>
    public static IEnumerable<LayoutGuess> Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var isSaid = VisionTasks.WithMaps.Contains(hints.Task ?? "", StringComparer.Ordinal) || hints.Family is FamilyNames.LabelMap or FamilyNames.DepthMap or FamilyNames.SaliencyMap;
        if ((!isSaid && (hints.Task ?? hints.Family) is not null) || outputs is [] || SpecOf(outputs[0], hints, isSaid) is not { } map)
            yield break;
        if (!isSaid && !outputs.All(o => SpecOf(o, hints, isSaid) is { } other && (other.Width, other.Height, other.Channels) == (map.Width, map.Height, map.Channels)))
            yield break;
        // Values may be whole numbers too.
        var areValues = map.Channels == 1 && (isSaid
            ? hints.Task is VisionTasks.Depth or VisionTasks.Saliency || hints.Family is FamilyNames.DepthMap or FamilyNames.SaliencyMap
            : hints.Names is null && (SaysDepth(outputs[0]) || SaysSaliency(outputs[0])));
        if (areValues)
            map = map with { IsIds = false };
        var other = isSaid || hints.Names is not null ? null : Others.FirstOrDefault(word => outputs[0].Says(word));
        foreach (var guess in map.Channels > 1 || map.IsIds ? Classes(outputs, map, hints, isSaid) : Values(outputs, map, hints, isSaid))
            yield return guess with { Map = map, Doubt = other is null ? guess.Doubt : $"the name of its output, {outputs[0].Name}, says something else" };
    }

    private static IEnumerable<LayoutGuess> Classes(IReadOnlyList<OrtPort> outputs, MapSpec map, LayoutHints hints, bool isSaid)
    {
        var output = outputs[0];
        // Only networks that score classes are trained with outputs besides (PSPNet, arXiv 1612.01105), and are exported with them.
        var areTrained = outputs.Any(o => o.Name.StartsWith("aux", StringComparison.OrdinalIgnoreCase));
        if (map.Channels > MostClasses || (!map.IsIds && hints.Names is { } names && names != map.Channels))
            yield break;
        // Three numbers for each pixel can be a picture, a few of them heatmaps, directions or anything, and whole numbers brightnesses.
        var isTold = isSaid || hints.Names is not null
            || areTrained || hints.MakerOf(output.Name) is "Softmax" or "LogSoftmax" or "ArgMax" || output.Says("logit", "seg", "mask", "prob", "class", "argmax", "softmax");
        yield return new(OutputLayout.ClassMap, FamilyNames.LabelMap, VisionTasks.Semantic, [0], map.IsIds ? hints.Names ?? 0 : map.Channels)
        {
            Doubt = isTold ? null : $"nothing in the file says that the numbers of its output are {(map.IsIds ? "" : "scores of ")}classes",
        };
    }

    /// <summary>
    /// One number for each cell: by what is said of it, by the operator that makes it, and else by the numbers of its trial, where each
    /// reading is loose.
    /// </summary>
    private static List<LayoutGuess> Values(IReadOnlyList<OrtPort> outputs, MapSpec map, LayoutHints hints, bool isSaid)
    {
        var depth = new LayoutGuess(OutputLayout.ValueMap, FamilyNames.DepthMap, VisionTasks.Depth, [0], 0);
        var saliency = new LayoutGuess(OutputLayout.ValueMap, FamilyNames.SaliencyMap, VisionTasks.Saliency, [0], 0);
        var mask = new LayoutGuess(OutputLayout.ClassMap, FamilyNames.LabelMap, VisionTasks.Semantic, [0], 2);
        if (isSaid)
            return hints.Task == VisionTasks.Semantic || hints.Family == FamilyNames.LabelMap ? hints.Names is null or 1 or 2 ? [mask] : [] : [depth, saliency];
        if (hints.Names is { } names)
            return names is 1 or 2 ? [mask] : [];
        if (SaysDepth(outputs[0]))
            return [depth];
        if (SaysSaliency(outputs[0]))
            return [saliency];
        // Outputs for several depths of the network are trained for what stands out, and a sigmoid gives probabilities.
        if (outputs.Count >= FewestSides || hints.MakerOf(outputs[0].Name) is "Sigmoid" or "HardSigmoid")
            return [saliency];
        if (hints.MakerOf(outputs[0].Name) is "Relu" or "Softplus" or "Exp")
            return [depth with { Doubt = "a value above 0 for each pixel can be something else than depth" }];
        return [saliency with { IsLoose = true }, depth with { IsLoose = true }, mask with { IsLoose = true }];
    }

    private static bool SaysDepth(OrtPort output) => output.Says("depth", "disparity") || output.Name.Split('_', '.', ':', '/').Contains("disp", StringComparer.OrdinalIgnoreCase);

    private static bool SaysSaliency(OrtPort output) => output.Says("salien", "alpha", "matte", "matting");

    /// <summary>The cells of an output; null when it can't be a map of the input.</summary>
    private static MapSpec? SpecOf(OrtPort port, LayoutHints hints, bool isSaid)
    {
        if (!port.IsNumeric || Math.Abs(port.Shape.FirstOrDefault()) != 1 || port.Shape.Skip(1).Any(d => d < 1))
            return null;
        var isWhole = port.Type is OrtPort.Int64 or OrtPort.Int32 or OrtPort.UInt8;
        (long Width, long Height, long Channels, bool Last)? cells = port.Shape switch
        {
            [_, var h, var w] when Fits(h, w) => (w, h, 1, false),
            [_, var c, var h, var w] when Fits(h, w) && (c == 1 || !isWhole) => (w, h, c, false),
            [_, var h, var w, var c] when Fits(h, w) && (c == 1 || !isWhole) => (w, h, c, true),
            _ => null,
        };
        return cells is { Channels: <= int.MaxValue } found ? new MapSpec((int)found.Width, (int)found.Height, (int)found.Channels, found.Last) { IsIds = isWhole } : null;

        // A map of another size than the input's has its shape at least.
        bool Fits(long h, long w) => h > 1 && w > 1 && h <= 16_384 && w <= 16_384
            && (Array.Exists(Strides, s => h == (hints.Height + s - 1) / s && w == (hints.Width + s - 1) / s) || (isSaid && Math.Abs((h * (double)hints.Width) - (w * (double)hints.Height)) <= 0.1 * h * hints.Width));
    }
}
