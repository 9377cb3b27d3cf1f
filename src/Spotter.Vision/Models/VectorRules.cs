using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>
/// Tells models that turn a picture into a vector: by the names of their outputs, by the operators that end their graph, and where neither
/// says anything, by the length of the vectors of their trial. Otherwise the numbers are those of a classifier.
/// </summary>
internal static class VectorRules
{
    /// <summary>Most numbers of a vector: it goes into the result of each job.</summary>
    public const int MostDimensions = 16_384;

    // What networks are made as wide as. Classes are hardly ever so many.
    private const int Width = 64;
    private const int LeastUnsaid = 128;

    // Edges of the squares that vision transformers cut a picture into.
    private static readonly int[] Patches = [8, 14, 16, 28, 32];

    // Their most usual names, the one that is meant to be used first.
    private static readonly string[] Names = ["image_embed", "embed", "pooler_output", "pooled", "feature", "feat", "last_hidden_state"];

    /// <summary>The reading as a vector; null when it is none.</summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run.</param>
    /// <param name="hints">What else is known.</param>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var isSaid = hints.Task == VisionTasks.Embed || hints.Family == FamilyNames.Embedding;
        if (!isSaid && (hints.Task ?? hints.Family) is not null)
            return null;
        var (index, numbers) = Named(outputs, hints);
        if (index < 0 && outputs.Count > 0 && Length(outputs[0]) is { } first && (isSaid || (outputs.Count == 1 && (EndsAsVector(outputs[0], hints) || IsLikely(first, hints)))))
            (index, numbers) = (0, first);
        if (index < 0 || numbers is < 2 or > MostDimensions)
            return null;
        // Names for all of them, or scores beside them, are a classifier's.
        if (!isSaid && (hints.Names == numbers || outputs.Where((o, i) => i != index && Length(o) is not null && !IsNamed(o)).Any()))
            return null;
        // A detector may give its features as well.
        var isAlone = outputs.Where((o, i) => i != index && !IsNamed(o) && Length(o) is null).ToList() is [];
        var isTold = isSaid || (isAlone && (IsNamed(outputs[index]) || EndsAsVector(outputs[index], hints)));
        return new(OutputLayout.Vector, FamilyNames.Embedding, VisionTasks.Embed, [index], numbers) { Name = outputs[index].Name, IsLoose = !isTold };
    }

    /// <summary>True where nothing but the number of classes speaks against a vector.</summary>
    public static bool IsLikely(int numbers, LayoutHints hints) => hints is { Names: null, Task: null, Family: null, Noted: false } && numbers >= LeastUnsaid && numbers % Width == 0;

    private static bool EndsAsVector(OrtPort output, LayoutHints hints) => hints.IsNormalised(output.Name) || hints.MakerOf(output.Name) == "BatchNormalization";

    private static bool IsNamed(OrtPort output) => output.Says(Names);

    /// <summary>The output whose name says most; of a row for each token the first one's.</summary>
    private static (int Index, int Numbers) Named(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        foreach (var name in Names)
        {
            for (var i = 0; i < outputs.Count; i++)
            {
                if (!outputs[i].Says(name))
                    continue;
                if (Length(outputs[i]) is { } numbers)
                    return (i, numbers);
                if (IsFloat(outputs[i]) && outputs[i].Shape is [1 or -1, var tokens, > 1 and <= MostDimensions and var row] && HasClassToken(tokens, hints))
                    return (i, (int)row);
            }
        }
        return (-1, 0);
    }

    /// <summary>One row for each square of the picture, and before them one for all of it, perhaps with one of a teacher's or four that are spare.</summary>
    private static bool HasClassToken(long tokens, LayoutHints hints) => Array.Exists(Patches, edge =>
        hints.Width % edge == 0 && hints.Height % edge == 0 && tokens - ((long)(hints.Width / edge) * (hints.Height / edge)) is 1 or 2 or 5);

    /// <summary>The numbers of <c>[1, n]</c> or <c>[1, n, 1, 1]</c>; null for anything else.</summary>
    private static int? Length(OrtPort port) =>
        IsFloat(port) && port.Shape is [1 or -1, > 1 and <= int.MaxValue and var numbers, .. var ones] && ones is [] or [1, 1] ? (int)numbers : null;

    private static bool IsFloat(OrtPort port) => port.Type is OrtPort.Float32 or OrtPort.Float16 or OrtPort.Double;
}
