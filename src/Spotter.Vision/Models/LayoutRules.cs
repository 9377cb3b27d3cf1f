using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>What is known of a model before its outputs are looked at.</summary>
internal sealed record LayoutHints
{
    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>How many class names there are; null when there are none.</summary>
    public int? Names { get; init; }

    /// <summary>The file carries notes as Ultralytics writes them (names, stride or task).</summary>
    public bool Noted { get; init; }

    /// <summary>What it is said to be for; null when nothing says so.</summary>
    public string? Task { get; init; }

    /// <summary>The family it is said to be of; null when nothing says so.</summary>
    public string? Family { get; init; }

    /// <summary>The file calls itself an RT-DETR.</summary>
    public bool CallsItselfDetr { get; init; }

    /// <summary>There is a second input for the picture's size.</summary>
    public bool IsToldSize { get; init; }

    /// <summary>The picture's colours are its last dimension, as in TensorFlow.</summary>
    public bool IsChannelsLast { get; init; }

    /// <summary>Pictures go in as whole numbers, 0 to 255.</summary>
    public bool TakesIntegers { get; init; }

    /// <summary>There is an input for how much the picture was scaled, as PaddleDetection's exports have.</summary>
    public bool IsPaddle { get; init; }

    /// <summary>Keypoints and numbers of each, when that is known.</summary>
    public (int Count, int Numbers)? Keypoints { get; init; }

    /// <summary>What matters for models that find or read text.</summary>
    public TextHints Text { get; init; } = new();

    /// <summary>Kinds of operator in the graph.</summary>
    public IReadOnlySet<string> Operators { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>See <see cref="OnnxFile.MakerOf(string)"/>.</summary>
    public Func<string, string?> MakerOf { get; init; } = static _ => null;

    /// <summary>See <see cref="OnnxFile.IsNormalised"/>.</summary>
    public Predicate<string> IsNormalised { get; init; } = static _ => false;
}

/// <summary>How outputs are laid out, as their shapes tell.</summary>
/// <param name="Layout">The layout.</param>
/// <param name="Family">The family's name.</param>
/// <param name="Task">The engine that the model is for.</param>
/// <param name="Outputs">Indexes of the outputs that matter.</param>
/// <param name="Classes">Classes that are scored, or numbers of a vector; 0 when the shapes don't tell.</param>
/// <param name="Extras">Numbers per box after its scores.</param>
internal sealed record LayoutGuess(OutputLayout Layout, string Family, string Task, int[] Outputs, int Classes, int Extras = 0)
{
    public IReadOnlyList<int> Strides { get; init; } = AnchorGrid.Strides;

    public float CellOffset { get; init; }

    /// <summary>For <see cref="OutputLayout.EndToEnd"/> and <see cref="OutputLayout.Batched"/>: what comes where, if the file says so; null when it does not.</summary>
    public RowOrder? Order { get; init; }

    /// <summary>For <see cref="OutputLayout.Heads"/>: what they are.</summary>
    public HeadKind HeadKind { get; init; }

    /// <summary>For <see cref="OutputLayout.Heads"/>: all of them.</summary>
    public IReadOnlyList<Head> Heads { get; init; } = [];

    /// <summary>For <see cref="OutputLayout.People"/>: how their rows are laid out.</summary>
    public PeopleSpec? People { get; init; }

    /// <summary>For a vector: what its output is called.</summary>
    public string? Name { get; init; }

    /// <summary>For a map: how its numbers lie.</summary>
    public MapSpec? Map { get; init; }

    /// <summary>The shapes fit other kinds of model as well, and the file does not say which it is.</summary>
    public bool IsLoose { get; init; }

    /// <summary>Why it may be something else, though no other layout fits; null when nothing speaks for that.</summary>
    public string? Doubt { get; init; }

    /// <summary>For models that find or read text: docTR's, whose pictures are prepared otherwise.</summary>
    public bool IsDocTr { get; init; }
}

/// <summary>
/// Tells from the shapes of outputs how they are laid out. Where two layouts have the same shape, the file's notes and
/// operators decide; what is left is decided for the more common one, and can be overridden.
/// </summary>
internal static class LayoutRules
{
    // 17 keypoints of three numbers, as in all models trained on COCO's people.
    private const int CocoKeypointNumbers = 51;

    /// <summary>
    /// The layouts that fit, the likelier first; none when it is none that is known. Only where the file says nothing that decides
    /// between them are there several that are <see cref="LayoutGuess.IsLoose"/>.
    /// </summary>
    /// <param name="outputs">All outputs, their free dimensions filled in from a run, but -1 where a run may give any number.</param>
    /// <param name="hints">What else is known.</param>
    public static IReadOnlyList<LayoutGuess> Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        var fitting = Candidates(outputs, hints).Where(guess =>
            (hints.Family is null || guess.Family == hints.Family || (hints.Family is FamilyNames.YoloXRaw or FamilyNames.YoloV6 && guess.Family == FamilyNames.YoloX))
            && (hints.Task is null || guess.Task == hints.Task)).ToList();
        return fitting.Find(guess => !guess.IsLoose) is { } sure ? [sure] : fitting;
    }

    private static IEnumerable<LayoutGuess> Candidates(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        if (PeopleRules.Tell(outputs, hints) is { } people)
        {
            yield return people;
            yield break;
        }
        if (HeadRules.Tell(outputs, hints) is { } heads)
            yield return heads;
        if (PriorRules.Tell(outputs, hints) is { } priors)
        {
            yield return priors;
            yield break;
        }
        if (TextRules.Tell(outputs, hints) is { } text)
        {
            yield return text;
            yield break;
        }
        foreach (var map in MapRules.Tell(outputs, hints))
            yield return map;
        var vector = VectorRules.Tell(outputs, hints);
        if (vector is { IsLoose: false })
            yield return vector;
        if (hints.Task == VisionTasks.Classify || hints.Family == FamilyNames.Classifier)
        {
            for (var i = 0; i < outputs.Count; i++)
            {
                if (ClassesOf(outputs[i]) is { } classes && (hints.Names ?? classes) == classes)
                    yield return new(OutputLayout.Classes, FamilyNames.Classifier, VisionTasks.Classify, [i], classes);
            }
            yield break;
        }
        if (ListRules.Tell(outputs, hints) is { } lists)
            yield return lists;
        foreach (var pair in PairRules.Tell(outputs, hints))
            yield return pair;

        var masks = outputs.Select((port, index) => (port, index)).FirstOrDefault(o => o.port is { Type: OrtPort.Float32 or OrtPort.Float16, Shape: [1, > 1 and <= 512, var h, var w] } && h == (hints.Height + 3) / 4 && w == (hints.Width + 3) / 4);
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i] is not { IsNumeric: true, Shape: [1, > 0, > 0] shape })
                continue;
            foreach (var guess in Boxes(shape[1], shape[2], i, masks.port is null ? null : (masks.index, (int)masks.port.Shape[1]), hints))
                yield return guess;
        }
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i] is not { IsNumeric: true, Shape: [_, 6 or 7] or [1, 1, _, 7] })
                continue;
            var numbers = (int)outputs[i].Shape[^1];
            // The export of super-gradients has the score before the class (its documentation of flat predictions).
            var scoreFirst = outputs[i].Says("flat_predictions");
            var family = scoreFirst ? FamilyNames.YoloNas : hints.IsPaddle ? FamilyNames.Paddle : outputs[i].Shape.Length == 4 ? FamilyNames.Ssd : numbers == 6 ? FamilyNames.EndToEnd : FamilyNames.YoloV7Nms;
            var order = RowOrder.Named(outputs[i].Name, numbers)
                ?? (scoreFirst ? RowOrder.PictureCornersScore : hints.IsPaddle && numbers == 6 ? RowOrder.ClassFirst : outputs[i].Shape.Length == 4 ? RowOrder.PictureClass : null);
            yield return new(OutputLayout.Batched, family, VisionTasks.Detect, [i], hints.Names ?? 0)
            {
                Order = order,
                // One row can be that of a classifier.
                IsLoose = order is null && hints.Family is null && outputs is [{ Shape: [1, _] }],
            };
        }
        if (outputs is [var only] && ClassesOf(only) is > 1 and var all && (hints.Names ?? all) == all)
            yield return new(OutputLayout.Classes, FamilyNames.Classifier, VisionTasks.Classify, [0], all)
            {
                IsLoose = (all is 6 or 7 && hints.Task is null) || VectorRules.IsLikely(all, hints),
                Doubt = MayBeAnything(only, all, hints) ? "it names no classes and ends in no softmax or sigmoid, so its numbers may be coordinates or anything else" : null,
            };
        if (vector is { IsLoose: true })
            yield return vector;
    }

    /// <summary>Landmarks of a face, angles and ages come in the shape of a classifier's scores, too.</summary>
    private static bool MayBeAnything(OrtPort output, int numbers, LayoutHints hints) =>
        hints is { Names: null, Task: null, Family: null, Noted: false } && numbers is not (1000 or 1001) && !VectorRules.IsLikely(numbers, hints) && output.Type != OrtPort.UInt8
        && hints.MakerOf(output.Name) is not ("Softmax" or "LogSoftmax" or "Sigmoid" or "HardSigmoid");

    private static IEnumerable<LayoutGuess> Boxes(long first, long second, int output, (int Index, int Count)? masks, LayoutHints hints)
    {
        // Columns: a row of numbers per quantity.
        if (AnchorGrid.Fits(second, hints.Width, hints.Height, 1))
        {
            foreach (var (task, classes, extras) in Split(first - 4, masks, hints))
                yield return new(OutputLayout.Columns, FamilyNames.YoloV8, task, Outputs(output, task, masks), classes, extras);
        }
        // Columns and rows exchanged. Without names it could have an objectness and one class less, which for 80 is unlikely.
        if (AnchorGrid.Fits(first, hints.Width, hints.Height, 1))
        {
            foreach (var (task, classes, extras) in Split(second - 4, masks, hints))
            {
                if (hints.Names is not null || classes == LabelSets.Coco.Count || hints.Family == FamilyNames.YoloV8)
                    yield return new(OutputLayout.ScoreRows, FamilyNames.YoloV8, task, Outputs(output, task, masks), classes, extras);
            }
        }
        // Rows: the numbers of each box together.
        if (AnchorGrid.Fits(first, hints.Width, hints.Height, 3) || (hints.Noted && AnchorGrid.Fits(first, hints.Width, hints.Height, 1)))
        {
            // Eleven classes take as many numbers as one class and the landmarks of a face.
            var mayBeFaces = second == 6 + HeadRules.Landmarks && hints is { Names: null or 1, Task: null or VisionTasks.Pose } && (!hints.Noted || hints.Family is not null) && masks is null;
            foreach (var (task, classes, extras) in Split(second - 5, masks, hints))
                yield return new(OutputLayout.Rows, FamilyNames.YoloV5, task, Outputs(output, task, masks), classes, extras) { IsLoose = mayBeFaces && hints.Family is null };
            if (mayBeFaces)
                yield return new(OutputLayout.Rows, FamilyNames.YoloV5Face, VisionTasks.Pose, [output], 1, HeadRules.Landmarks) { IsLoose = hints.Family is null };
        }
        foreach (var guess in NanoDet(first, second, output, hints))
            yield return guess;
        if ((!hints.Noted || hints.Family is FamilyNames.YoloX or FamilyNames.YoloXRaw) && second > 5
            && AnchorGrid.Cells(hints.Width, hints.Height, AnchorGrid.Strides) == first && (hints.Names ?? second - 5) == second - 5)
        {
            var isKnown = hints.Names is not null || hints.Family is not null || second - 5 == LabelSets.Coco.Count;
            yield return new(OutputLayout.Cells, FamilyNames.YoloX, VisionTasks.Detect, [output], (int)second - 5) { IsLoose = !isKnown };
        }
        // Nothing says how many classes there are: the same numbers can be those of two more kinds.
        if (hints is { Names: null, Family: null, Noted: false } && second > 5 && AnchorGrid.Cells(hints.Width, hints.Height, AnchorGrid.Strides) == first)
        {
            yield return new(OutputLayout.ScoreRows, FamilyNames.YoloV8, VisionTasks.Detect, [output], (int)second - 4) { IsLoose = true };
            if (second > 32)
                yield return Distances(output, (int)second - 32, 8, plus: false) with { IsLoose = true };
        }
        if (AnchorGrid.Fits(first, hints.Width, hints.Height, 1) || AnchorGrid.Fits(first, hints.Width, hints.Height, 3))
            yield break;

        // Few rows that fit no grid have been chosen from more already.
        var queries = second > 4 && (hints.Names ?? second - 4) == second - 4;
        if (queries && (hints.CallsItselfDetr || hints.Family == FamilyNames.RtDetr))
            yield return new(OutputLayout.QueryRows, FamilyNames.RtDetr, VisionTasks.Detect, [output], (int)second - 4);
        if (EndToEnd(second - 6, masks, hints) is var (endTask, endExtras))
        {
            // Seven numbers are a turned box, or a box and the number of its picture.
            var isLoose = endTask == VisionTasks.Obb && hints is { Task: null, Family: null, Noted: false } && !TurnsBoxes(hints);
            yield return new(OutputLayout.EndToEnd, FamilyNames.EndToEnd, endTask, Outputs(output, endTask, masks), hints.Names ?? 0, endExtras) { IsLoose = isLoose };
            if (isLoose)
            {
                yield return new(OutputLayout.Batched, hints.IsChannelsLast ? FamilyNames.Ssd : FamilyNames.YoloV7Nms, VisionTasks.Detect, [output], hints.Names ?? 0)
                {
                    IsLoose = true,
                    Order = hints.IsChannelsLast ? RowOrder.PictureTopFirst : null,
                };
            }
        }
        if (queries && second - 4 is 80 or > 6 && first is >= 50 and <= 2000)
            yield return new(OutputLayout.QueryRows, FamilyNames.RtDetr, VisionTasks.Detect, [output], (int)second - 4);
    }

    private static int[] Outputs(int boxes, string task, (int Index, int Count)? masks) =>
        task == VisionTasks.Segment ? [boxes, masks!.Value.Index] : [boxes];

    /// <summary>How the numbers after a box are divided between classes and what belongs to the task.</summary>
    private static IEnumerable<(string Task, int Classes, int Extras)> Split(long numbers, (int Index, int Count)? masks, LayoutHints hints)
    {
        foreach (var (task, extras) in Tasks((int)Math.Min(numbers, int.MaxValue), masks, hints))
        {
            var classes = numbers - extras;
            if (classes > 0 && (hints.Names ?? classes) == classes)
                yield return (task, (int)classes, extras);
        }
    }

    private static IEnumerable<(string Task, int Extras)> Tasks(int numbers, (int Index, int Count)? masks, LayoutHints hints)
    {
        if (masks is { } m)
            yield return (VisionTasks.Segment, m.Count);
        if (hints.Keypoints is var (count, each))
            yield return (VisionTasks.Pose, count * each);
        else if (hints.Task == VisionTasks.Pose && hints.Names is { } names && numbers > names)
            yield return (VisionTasks.Pose, numbers - names);
        else if (hints.Names is 1 or null && numbers == 1 + CocoKeypointNumbers && hints.Task is null or VisionTasks.Pose)
            yield return (VisionTasks.Pose, CocoKeypointNumbers);
        if (hints.Task == VisionTasks.Obb || (hints.Task is null && TurnsBoxes(hints)))
            yield return (VisionTasks.Obb, 1);
        yield return (VisionTasks.Detect, 0);
    }

    /// <summary>A head for turned boxes takes sine and cosine of its angle; no other detector's does.</summary>
    private static bool TurnsBoxes(LayoutHints hints) => hints.Operators.Contains("Sin") && hints.Operators.Contains("Cos");

    private static (string Task, int Extras)? EndToEnd(long extras, (int Index, int Count)? masks, LayoutHints hints) => extras switch
    {
        < 0 or > 10_000 => null,
        0 => (VisionTasks.Detect, 0),
        _ when masks is { } m && m.Count == extras => (VisionTasks.Segment, m.Count),
        _ when hints.Keypoints is var (count, numbers) && count * numbers == extras => (VisionTasks.Pose, (int)extras),
        CocoKeypointNumbers when hints.Task is null or VisionTasks.Pose => (VisionTasks.Pose, CocoKeypointNumbers),
        1 when hints.Task is null or VisionTasks.Obb => (VisionTasks.Obb, 1),
        _ => null,
    };

    private static IEnumerable<LayoutGuess> NanoDet(long first, long second, int output, LayoutHints hints)
    {
        var plus = AnchorGrid.Cells(hints.Width, hints.Height, AnchorGrid.LongStrides, partial: true) == first;
        if (!plus && AnchorGrid.Cells(hints.Width, hints.Height, AnchorGrid.Strides, partial: true) != first)
            yield break;
        foreach (var bins in (int[])[8, 11, 16])
        {
            var classes = second - (4 * bins);
            // Three heads of one box per cell are YOLOX's too, so there the number of classes has to tell.
            var fits = hints.Names is { } names ? names == classes : classes == LabelSets.Coco.Count || (plus && !hints.Noted && bins == 8) || hints.Family == FamilyNames.NanoDet;
            if (classes > 0 && fits)
                yield return Distances(output, (int)classes, bins, plus);
        }
    }

    private static LayoutGuess Distances(int output, int classes, int bins, bool plus) =>
        new(OutputLayout.Distances, FamilyNames.NanoDet, VisionTasks.Detect, [output], classes, 4 * bins)
        {
            Strides = plus ? AnchorGrid.LongStrides : AnchorGrid.Strides,
            // NanoDet-Plus counts from a cell's corner, its predecessor from the middle.
            CellOffset = plus ? 0 : 0.5f,
        };

    /// <summary>The number of classes when one number per class is all that there is: <c>[1, n]</c>, perhaps with ones before or after it.</summary>
    private static int? ClassesOf(OrtPort port) =>
        port is { Type: OrtPort.Float32 or OrtPort.Float16 or OrtPort.Double or OrtPort.UInt8, Shape: [1 or -1, ..] and { Length: 2 or 4 } }
        && port.Shape.Skip(1).Where(d => d != 1).ToList() is var edges && edges.Count <= 1
        && (edges is [var most] ? most : 1) is >= 0 and <= int.MaxValue and var classes
            ? (int)classes
            : null;
}
