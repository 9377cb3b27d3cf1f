using System.Text.RegularExpressions;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Kinds of model that are not run, and whose outputs could be taken for those of others: told by the names of their outputs, and
/// where an export has none that say anything, by all of their shapes together. A wrong reading would answer without a fault, and wrongly.
/// </summary>
internal static partial class UnsupportedKinds
{
    private const string Heads = "export it with all of them joined into one output";

    /// <summary>What the model is, and what to do; null when it is none of these.</summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run.</param>
    public static string? Tell(IReadOnlyList<OrtPort> outputs)
    {
        if (IsYuNet(outputs))
            return "it is a YuNet face detector, whose boxes and landmarks are not read here; use a face model of a family that is, as a YOLOv8 trained on faces";
        if (IsLandmarked(outputs) is { } face)
            return $"it is a face detector with landmarks ({face}), which is not read here; use a face model of a family that is, as a YOLOv8 trained on faces";
        if (outputs.Any(o => o.Name.StartsWith("cls_pred_stride_", StringComparison.Ordinal)) && outputs.Any(o => o.Name.StartsWith("dis_pred_stride_", StringComparison.Ordinal)))
            return $"it is a NanoDet with outputs of their own for each stride; {Heads}, as NanoDet-Plus is";
        return null;
    }

    /// <summary>
    /// The outputs that look like one head for each stride of a detector, of which a reading takes one only; null when there are none.
    /// </summary>
    /// <param name="outputs">As for <see cref="Tell"/>.</param>
    /// <param name="guess">The reading.</param>
    public static string? LeftOut(IReadOnlyList<OrtPort> outputs, LayoutGuess guess)
    {
        var read = guess.Outputs.Select(o => outputs[o]).ToList();
        var left = outputs.Where(o => o.IsNumeric && !read.Contains(o) && read.Exists(r => IsHeadBeside(r.Shape, o.Shape, guess.Layout == OutputLayout.Columns))).ToList();
        return left.Count == 0 ? null
            : $"the outputs {string.Join(", ", read.Concat(left).Select(o => o.Name))} look like one for each stride, of which only {string.Join(", ", read.Select(o => o.Name))} would be read; {Heads}";
    }

    /// <summary>The same numbers for another number of cells.</summary>
    private static bool IsHeadBeside(long[] one, long[] other, bool hasColumns) =>
        one is [1, var rows, var columns] && other is [1, var otherRows, var otherColumns]
        && (hasColumns ? rows == otherRows && rows > 4 && columns != otherColumns : columns == otherColumns && columns > 4 && rows != otherRows);

    private static bool IsYuNet(IReadOnlyList<OrtPort> outputs)
    {
        var kinds = outputs.Select(o => StrideOutput().Match(o.Name)).Where(m => m.Success).Select(m => m.Groups["kind"].Value).ToHashSet(StringComparer.Ordinal);
        // The first version had three outputs for all strides.
        return kinds.IsSupersetOf(["cls", "obj", "bbox", "kps"])
            || (Named("loc") is [.., 14] && Named("conf") is [.., 2] && Named("iou") is [.., 1]);

        long[]? Named(string name) => outputs.FirstOrDefault(o => o.Name == name)?.Shape;
    }

    /// <summary>Five landmarks are ten numbers beside each box.</summary>
    private static string? IsLandmarked(IReadOnlyList<OrtPort> outputs)
    {
        if (outputs.Count == 3 && outputs.FirstOrDefault(o => o.Shape is [1, _, 4]) is { Shape: [_, var boxes, _] } && Has([1, boxes, 2]) && Has([1, boxes, 10]))
            return "a RetinaFace";
        // Without landmarks there are two for each stride, and names that say what they are.
        int Count(long numbers) => outputs.Count(o => o.Shape is [.., > 1, var last] && last == numbers);
        return outputs.Count >= 6 && Count(1) is >= 2 and var scores && Count(4) == scores && Count(10) is var marks
            && (marks == scores || (marks == 0 && outputs.Any(o => o.Name.StartsWith("score_", StringComparison.Ordinal))))
            && outputs.Count == scores + scores + marks
            ? "an SCRFD" : null;

        bool Has(long[] shape) => outputs.Any(o => o.Shape.SequenceEqual(shape));
    }

    [GeneratedRegex(@"^(?<kind>cls|obj|bbox|kps)_(8|16|32)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StrideOutput();
}
