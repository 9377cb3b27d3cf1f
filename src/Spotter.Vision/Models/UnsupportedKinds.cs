using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Kinds of model that are not run, and whose outputs could be taken for those of others: told by the names of their outputs, and
/// where an export has none that say anything, by all of their shapes together. A wrong reading would answer without a fault, and wrongly.
/// </summary>
internal static class UnsupportedKinds
{
    private const string Heads = "export it with all of them joined into one output";

    /// <summary>What the model is, and what to do; null when it is none of these.</summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run.</param>
    public static string? Tell(IReadOnlyList<OrtPort> outputs)
    {
        if (IsYuNet(outputs))
            return "it is a YuNet face detector of before 2023, whose boxes count from prepared ones that are not in the file; use the one of 2023 or later";
        if (IsMediaPipeDetector(outputs))
            return "it is one of MediaPipe's detectors of faces, palms or people, whose anchors are not in the file; use YuNet or SCRFD for faces, and a YOLO or MoveNet for people";
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

    /// <summary>A box with keypoints and one score for each prepared box: 896 for near faces, 2304 for far ones, 2016 for palms, 2254 for people.</summary>
    private static bool IsMediaPipeDetector(IReadOnlyList<OrtPort> outputs)
    {
        (long Boxes, long Scores) rows = default;
        foreach (var output in outputs)
        {
            switch (output.Shape)
            {
                case [1, var boxes, 12 or 16 or 18]:
                    rows.Boxes += boxes;
                    break;
                case [1, var scores, 1]:
                    rows.Scores += scores;
                    break;
                default:
                    return false;
            }
        }
        return rows.Boxes == rows.Scores && rows.Boxes is 896 or 2304 or 2016 or 2254 or 2944;
    }

    /// <summary>The first version had three outputs for all strides.</summary>
    private static bool IsYuNet(IReadOnlyList<OrtPort> outputs)
    {
        return Named("loc") is [.., 14] && Named("conf") is [.., 2] && Named("iou") is [.., 1];

        long[]? Named(string name) => outputs.FirstOrDefault(o => o.Name == name)?.Shape;
    }
}
