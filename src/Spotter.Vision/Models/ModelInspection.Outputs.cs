using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using Spotter.Core;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <content>The outputs, and what their numbers say.</content>
internal sealed partial class ModelInspection
{
    // More numbers than this are no answer that is read.
    private const int MostOutputs = 16;

    // Operators that leave an unknown number of rows.
    private static readonly string[] Choosers = ["NonMaxSuppression", "NonZero", "Compress"];

    // The share of rows that have to be findings for an order of their numbers to be the right one.
    private const double MostlySound = 0.95;

    /// <summary>The outputs, with free dimensions filled in from a run where one picture alone settles them.</summary>
    private List<OrtPort> Outputs()
    {
        var outputs = new List<OrtPort>(session.Outputs.Count);
        for (var i = 0; i < session.Outputs.Count; i++)
        {
            var port = session.Outputs[i];
            // A file that says nothing of an output's shape has none here, as a single number has.
            if (!port.IsNumeric || (port.Shape is not [] && port.Shape.All(d => d >= 0)))
                outputs.Add(port);
            else if (session.Outputs.Count >= 3 && port.Shape.Length <= 3 && (port.Shape is [-1] or [-1, _] or [1 or -1, -1] or [1 or -1, -1, 4 or 1 or -1]))
                outputs.Add(port with { Shape = ListShape(port, i) });
            else
                outputs.Add(port with { Shape = IsOfFindings(port, i) ? [-1, Blank(i).Shape[^1]] : Blank(i).Shape });
        }
        return outputs;
    }

    /// <summary>
    /// Rows of 6 or 7 numbers, as many as there are findings, and not a classifier's 6 or 7 classes for a free number of pictures: the
    /// input takes one picture, or the graph chooses, or there isn't one row.
    /// </summary>
    private bool IsOfFindings(OrtPort port, int output) => port.Shape is [-1, 6 or 7 or -1] && Blank(output).Shape is [var rows, 6 or 7]
        && (rows != 1 || !input.Batches || constant.Count > 0 || Choosers.Any(onnx.Operators.Contains) || overrides.Family is not (null or FamilyNames.Classifier)
            || RowOrder.Named(port.Name, (int)Blank(output).Shape[^1]) is not null || port.Name.Contains("flat_predictions", StringComparison.OrdinalIgnoreCase));

    /// <summary>The shape of a list of findings, whose length is another for each picture.</summary>
    private long[] ListShape(OrtPort port, int output)
    {
        if (port.Shape[^1] >= 0 || port.Shape.Length == 1)
            return port.Shape;
        var ran = Blank(output).Shape;
        if (ran.Length == 3)
            return [1, port.Shape[1], ran[2]];
        // One picture's boxes, or a number for each of one picture's.
        return ran[1] == 4 && (ran[0] > 1 || port.Name.Contains("box", StringComparison.OrdinalIgnoreCase)) ? [-1, 4] : [1, -1];
    }

    /// <summary>What the model says about an input of zeros.</summary>
    private OrtOutput Blank(int output) => runs.Blank(input, size, constant)[output];

    private OrtOutput Tried(TrialPicture picture, int output) => runs.Of(picture, input, size, constant)[output];

    private TrialRun Run(InputTensors feed)
    {
        var wanted = Enumerable.Range(0, session.Outputs.Count).Where(o => session.Outputs[o].IsNumeric).Take(MostOutputs).ToArray();
        try
        {
            return new TrialRun(session.Run(feed.Tensors(1), wanted), wanted);
        }
        catch (OnnxRuntimeException e)
        {
            var other = session.Inputs[input.Index].Shape.Any(d => d < 0) ? $"; if it wants another size, say so with input.width and input.height in {ModelOverrides.FileOf(file)}" : "";
            throw new SpotterException(ErrorCodes.ModelInvalid,
                $"{file} can't be run on a picture of {input.Width} x {input.Height} pixels: {LoadFailure.Reason(e)}{other}.", e);
        }
    }

    /// <summary>
    /// What comes where in the rows of a model that gives findings: what its outputs' names say, else the order in which the rows of its
    /// trial can be findings, else the usual one.
    /// </summary>
    private RowOrder OrderOf(LayoutGuess guess, List<OrtPort> outputs, int labels, bool areNamed)
    {
        if (guess.Layout is not (OutputLayout.EndToEnd or OutputLayout.Batched))
            return RowOrder.CornersFirst;
        var numbers = (int)outputs[guess.Outputs[0]].Shape[^1];
        if ((guess.Order ?? RowOrder.Named(session.Outputs[guess.Outputs[0]].Name, numbers)) is { } said)
        {
            Note("order", Word(said), FactSource.Stated);
            return said;
        }
        if ((guess.Layout == OutputLayout.EndToEnd && guess.Extras > 0) || overrides.Family is not null)
            return RowOrder.Of(numbers) is [var first, ..] && guess.Extras == 0 ? first : RowOrder.CornersFirst;
        var looks = TrialPictures.All.Select(picture => Tried(picture, guess.Outputs[0])).Append(Blank(guess.Outputs[0])).ToList();
        var most = areNamed ? labels : int.MaxValue;
        var possible = RowOrder.Of(numbers).Select(order => (Order: order, Proofs: Proofs(order, looks, numbers, most))).Where(o => o.Proofs is not null).ToList();
        if (possible is [] || (guess.IsLoose && possible.TrueForAll(o => o.Proofs == 0)))
            throw Refuse($"the rows of its output {session.Outputs[guess.Outputs[0]]} are no findings, whichever of their {numbers} numbers are the corners, the score and the class");
        var chosen = possible.MaxBy(o => o.Proofs > 0);
        Note("order", Word(chosen.Order), chosen.Proofs > 0 && possible.Count(o => o.Proofs > 0) == 1 ? FactSource.Inferred : FactSource.Assumed);
        return chosen.Order;
    }

    /// <summary>How many rows are findings in that order; null when too many of a run can't be.</summary>
    private static int? Proofs(RowOrder order, List<OrtOutput> runs, int numbers, int classes)
    {
        var proofs = 0;
        foreach (var run in runs)
        {
            int all = 0, wrong = 0;
            for (var at = 0; at + numbers <= run.Span.Length; at += numbers)
            {
                var can = order.CanBe(run.Span.Slice(at, numbers), classes);
                all += can is null ? 0 : 1;
                wrong += can == false ? 1 : 0;
                proofs += can == true ? 1 : 0;
            }
            if (wrong > (1 - MostlySound) * all)
                return null;
        }
        return proofs;
    }

    private static string Word(RowOrder order) => string.Join(", ",
        new[] { (order.Box, order.YFirst ? "corners (top first)" : "corners"), (order.Score, "score"), (order.Class, "class"), (order.Picture, "picture") }
            .Where(part => part.Item1 >= 0).OrderBy(part => part.Item1).Select(part => part.Item2));

    /// <summary>Boxes of an SSD that are taken as they are have to be decoded, since its prepared boxes are not in the file.</summary>
    private void CheckBoxes(LayoutGuess guess)
    {
        if (guess.Layout != OutputLayout.CornersAndScores || guess.Family is not (FamilyNames.Ssd or FamilyNames.UltraFace))
            return;
        var boxes = Tried(TrialPicture.Shapes, guess.Outputs[0]).Span;
        int all = boxes.Length / 4, sound = 0;
        for (var at = 0; at + 4 <= boxes.Length; at += 4)
            sound += boxes[at] <= boxes[at + 2] && boxes[at + 1] <= boxes[at + 3] ? 1 : 0;
        if (sound < MostlySound * all)
            throw Refuse($"{all - sound} of the {all} boxes of its output {session.Outputs[guess.Outputs[0]]} have their corners exchanged, so they are not decoded; export it with its boxes decoded");
    }

    private LayoutGuess Cells(LayoutGuess guess)
    {
        // YOLOv6 has no objectness and exports ones in its place, where YOLOX is not sure of anything in a black picture.
        if (overrides.Family is FamilyNames.YoloV6 || (overrides.Family is null && Strided(Blank(guess.Outputs[0]).Span, 5 + guess.Classes, 4, 1).TrueForAll(o => o == 1)))
            return guess with { Layout = OutputLayout.Rows, Family = FamilyNames.YoloV6 };
        return CountsFromCells(guess) ? guess : guess with { Layout = OutputLayout.Rows };
    }

    /// <summary>
    /// Whether centres count from their cell, as from YOLOX's heads, or are spread over the whole input because the
    /// export decodes them already. The shapes are the same.
    /// </summary>
    private bool CountsFromCells(LayoutGuess guess)
    {
        if (overrides.Family is FamilyNames.YoloXRaw)
            return true;
        var result = Blank(guess.Outputs[0]);
        var numbers = result.Span;
        var row = (int)result.Shape[2];
        double sum = 0;
        for (var at = 0; at < numbers.Length; at += row)
            sum += numbers[at];
        // On average a decoded centre is in the middle; one that counts in cells is within a cell or two.
        var cells = sum / (numbers.Length / row) < input.Width / 8.0;
        Note("boxes", cells ? "counted in cells" : "in pixels", FactSource.Inferred);
        return cells;
    }

    private Activation ActivationOf(LayoutGuess guess, BackgroundColumn background, out float scale)
    {
        scale = 1;
        if (guess.Layout is OutputLayout.Columns or OutputLayout.ScoreRows && overrides.Activation is { } said and not Activation.Softmax)
        {
            Note("scores", Word(said), FactSource.Overridden);
            return said;
        }
        if (guess.Layout is OutputLayout.Rows or OutputLayout.Cells or OutputLayout.Distances or OutputLayout.EndToEnd or OutputLayout.Batched or OutputLayout.Lists or OutputLayout.People)
        {
            return overrides.Activation is null or Activation.None
                ? Activation.None
                : throw Contradicts($"'activation' can't be said of outputs that are {Word(guess.Layout)}, whose scores are probabilities");
        }
        if (guess.Layout == OutputLayout.Classes)
            return ClassActivation(guess, out scale);
        if (guess.Layout == OutputLayout.Steps)
            return StepActivation(guess);

        var scores = ScoresOf(guess, Blank).Concat(ScoresOf(guess, output => Tried(TrialPicture.Noise, output))).ToList();
        // Where scores stand beside other numbers, one of those must not be taken for a logit: most logits are below zero.
        var isLogits = guess.Layout is OutputLayout.Columns or OutputLayout.ScoreRows
            ? !guess.IsLoose && scores.Count(score => score < -0.001f) * 2 > scores.Count
            : scores.Exists(score => score is < -0.001f or > 1.02f);
        // RF-DETR scores each class for itself and leaves the last unused.
        var logits = (guess.Layout == OutputLayout.Queries && background == BackgroundColumn.Last && !IsRfDetr(guess)) || guess.Layout is OutputLayout.CornersAndScores or OutputLayout.Priors && background != BackgroundColumn.None
            || guess is { Layout: OutputLayout.Heads, HeadKind: HeadKind.Priors } ? Activation.Softmax : Activation.Sigmoid;
        var activation = overrides.Activation ?? (isLogits ? logits : Activation.None);
        if (guess.Layout is not (OutputLayout.Columns or OutputLayout.ScoreRows) || activation != Activation.None)
            Note("scores", Word(activation), overrides.Activation is null ? FactSource.Inferred : FactSource.Overridden);
        return activation;
    }

    /// <summary>A classifier's: by the operator that its graph ends with, and else by its numbers.</summary>
    private Activation ClassActivation(LayoutGuess guess, out float scale)
    {
        var output = guess.Outputs[^1];
        scale = 1;
        // A quantised classifier ends with its softmax, in steps of 1/256; logits can't be without their sign.
        if (session.Outputs[output].Type == OrtPort.UInt8)
            scale = 1 / 255f;
        var (activation, source) = (overrides.Activation, onnx.MakerOf(session.Outputs[output].Name)) switch
        {
            ({ } said, _) => (said, FactSource.Overridden),
            (_, "Sigmoid" or "HardSigmoid" or "Softmax") => (Activation.None, FactSource.Inferred),
            (_, "LogSoftmax") => (Activation.Softmax, FactSource.Inferred),
            _ when scale != 1 => (Activation.None, FactSource.Inferred),
            (_, var maker) => ByNumbers(guess, maker),
        };
        Note("scores", Word(activation), source);
        return activation;
    }

    private (Activation Activation, FactSource Source) ByNumbers(LayoutGuess guess, string? maker)
    {
        bool shares = true, sums = true;
        foreach (var run in TrialPictures.All.Select(picture => Tried(picture, guess.Outputs[^1])).Append(Blank(guess.Outputs[^1])))
        {
            double sum = 0;
            foreach (var score in run.Span)
            {
                shares &= score is >= 0 and <= 1.0001f;
                sum += score;
            }
            sums &= Math.Abs(sum - 1) < 0.02;
        }
        if (guess.Classes == 1)
            return shares ? (Activation.None, FactSource.Assumed) : (Activation.Sigmoid, FactSource.Inferred);
        if (shares && sums)
            return (Activation.None, FactSource.Inferred);
        // Numbers within 0..1 that add up to something else are probabilities of their own, unless the graph ends with weights.
        return shares && maker is not (null or "Gemm" or "MatMul" or "Conv" or "Add") ? (Activation.None, FactSource.Assumed) : (Activation.Softmax, FactSource.Assumed);
    }

    /// <summary>All scores of a run, in no order.</summary>
    private static IEnumerable<float> ScoresOf(LayoutGuess guess, Func<int, OrtOutput> run)
    {
        var outputs = guess.Layout == OutputLayout.Heads ? guess.Heads.Select(h => guess.Outputs[h.Scores]).Distinct() : [guess.Outputs[^1]];
        if (guess.Layout is OutputLayout.Columns or OutputLayout.ScoreRows or OutputLayout.QueryRows)
            outputs = [guess.Outputs[0]];
        foreach (var output in outputs)
        {
            var ran = run(output);
            var numbers = ran.Span;
            var scores = guess.Layout switch
            {
                OutputLayout.Columns => numbers.Slice((int)(4 * ran.Shape[^1]), (int)(guess.Classes * ran.Shape[^1])).ToArray(),
                OutputLayout.ScoreRows or OutputLayout.QueryRows => [.. Strided(numbers, (int)ran.Shape[^1], 4, guess.Classes)],
                _ => numbers.ToArray(),
            };
            foreach (var score in scores)
                yield return score;
        }
    }

    /// <summary>
    /// Which column of scores is the background class. The first DETR, YOLOS and Table Transformer score all classes and the background, as
    /// the last. Their exports from Hugging Face call the scores logits, as those of RT-DETR and Conditional DETR do, which ask 300
    /// queries and have none. An SSD's is its first.
    /// </summary>
    private BackgroundColumn BackgroundOf(LayoutGuess guess, int? names)
    {
        if (guess.Layout is not (OutputLayout.Queries or OutputLayout.CornersAndScores or OutputLayout.Priors))
            return BackgroundColumn.None;
        var background = BackgroundColumn.None;
        if (guess.Family is FamilyNames.Ssd or FamilyNames.UltraFace or FamilyNames.Yolact)
            background = BackgroundColumn.First;
        else if (guess.Layout == OutputLayout.Queries && (names is { } named ? named == guess.Classes - 1 : IsDetrOfOld(guess)))
            background = BackgroundColumn.Last;
        if (names is { } count && count != guess.Classes - (background == BackgroundColumn.None ? 0 : 1))
            throw Refuse($"it has {count} names and scores {guess.Classes} classes ({session.Outputs[guess.Outputs[^1]]}); name all of them, in their order");
        if (background == BackgroundColumn.Last && names is not null && !IsRfDetr(guess) && !IsMostlyBackground(guess))
            throw Refuse($"it has {names} names and scores {guess.Classes} classes ({session.Outputs[guess.Outputs[1]]}), of which the last is no background class; name all of them, in their order");
        if (background != BackgroundColumn.None)
            Note("background", background == BackgroundColumn.First ? "the first column of scores" : "the last column of scores", FactSource.Inferred);
        return background;
    }

    private bool IsDetrOfOld(LayoutGuess guess) => guess.Classes == 92
        || (guess.Family == FamilyNames.Detr && guess.Classes is > 1 and not (90 or 91) && Blank(guess.Outputs[1]).Shape[1] != 300
            && session.Outputs[guess.Outputs[1]].Name.Contains("logits", StringComparison.OrdinalIgnoreCase));

    /// <summary>Of a picture without anything, most queries are surest of the background.</summary>
    private bool IsMostlyBackground(LayoutGuess guess)
    {
        var scores = Tried(TrialPicture.Grey, guess.Outputs[1]).Span;
        int all = scores.Length / guess.Classes, background = 0;
        for (var at = 0; at + guess.Classes <= scores.Length; at += guess.Classes)
        {
            var row = scores.Slice(at, guess.Classes);
            background += row[^1] > TensorPrimitives.Max(row[..^1]) ? 1 : 0;
        }
        return background * 2 > all;
    }

    private static string Word(Activation activation) =>
        activation switch { Activation.None => "probabilities", Activation.Sigmoid => "logits, sigmoid", _ => "logits, softmax" };

    private bool IsRfDetr(LayoutGuess guess) => session.Outputs[guess.Outputs[1]].Name.Equals("labels", StringComparison.OrdinalIgnoreCase);

    private static List<float> Strided(ReadOnlySpan<float> numbers, int row, int skip, int take)
    {
        var taken = new List<float>();
        for (var at = 0; at + row <= numbers.Length; at += row)
            taken.AddRange(numbers.Slice(at + skip, take));
        return taken;
    }

    private BoxUnits UnitsOf(LayoutGuess guess)
    {
        var units = guess.Layout switch
        {
            OutputLayout.Queries or OutputLayout.QueryRows or OutputLayout.Priors => BoxUnits.Shares,
            OutputLayout.People when guess.Family == FamilyNames.MoveNet => BoxUnits.Shares,
            OutputLayout.Lists when size is not null => BoxUnits.Told,
            OutputLayout.Lists when session.Outputs[guess.Outputs[0]].Name.Contains("detection_boxes", StringComparison.OrdinalIgnoreCase) => BoxUnits.Shares,
            OutputLayout.CornersAndScores when guess.Family is FamilyNames.Ssd or FamilyNames.UltraFace => BoxUnits.Shares,
            OutputLayout.Lists or OutputLayout.EndToEnd or OutputLayout.Batched or OutputLayout.CornersAndScores => LooksLikeShares(guess) ? BoxUnits.Shares : BoxUnits.Input,
            _ => BoxUnits.Input,
        };
        if (overrides.Units is { } said)
            units = said;
        if (guess.Layout is OutputLayout.Lists or OutputLayout.Queries or OutputLayout.QueryRows)
            Note("boxes", units switch { BoxUnits.Input => "in pixels of the input", BoxUnits.Shares => "in shares of the input", _ => "in pixels of the size told" },
                overrides.Units is null ? FactSource.Inferred : FactSource.Overridden);
        return units;
    }

    /// <summary>No corner is further than twice the picture's edge, if edges are 1; in pixels nearly all are.</summary>
    private bool LooksLikeShares(LayoutGuess guess)
    {
        var output = guess.Outputs[0];
        var row = guess.Layout is OutputLayout.EndToEnd or OutputLayout.Batched ? (int)Blank(output).Shape[^1] : 4;
        var at = guess.Layout is OutputLayout.EndToEnd or OutputLayout.Batched
            ? (guess.Order ?? RowOrder.Named(session.Outputs[output].Name, row))?.Box ?? (row == 7 && guess.Extras == 0 ? 1 : 0) : 0;
        float most = 0;
        foreach (var run in TrialPictures.All.Select(picture => Tried(picture, output)).Append(Blank(output)))
        {
            foreach (var number in Strided(run.Span, row, at, 4))
                most = Math.Max(most, Math.Abs(number));
        }
        return most is > 0 and <= 2;
    }
}
