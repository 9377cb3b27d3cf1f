using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>From a model's outputs to boxes in pixels of its input that are sure enough; doubles are still among them.</summary>
internal static class BoxReader
{
    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of one picture.</param>
    /// <param name="letterbox">Where the picture lies in the input.</param>
    /// <param name="confidence">Boxes below this are left out.</param>
    /// <param name="into">Cleared first.</param>
    public static void Read(ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, float confidence, Candidates into)
    {
        into.Clear();
        var numbers = outputs[0];
        switch (model.Layout)
        {
            case OutputLayout.Columns:
                Columns(numbers, (int)model.Shapes[0][2], model.Classes, Threshold(confidence, model.Activation), into);
                Finish(model, into);
                break;
            case OutputLayout.Rows:
                Rows(numbers, (int)model.Shapes[0][2], model.Classes, confidence, into, model.ExtrasFirst ? model.Extras : 0);
                Finish(model, into);
                break;
            case OutputLayout.Cells:
                Cells(numbers, model, confidence, into);
                break;
            case OutputLayout.ScoreRows or OutputLayout.QueryRows:
                ScoreRows(numbers, model, confidence, into);
                break;
            case OutputLayout.EndToEnd or OutputLayout.Batched:
                Found(numbers, (int)model.Shapes[0][^1], model, confidence, into);
                break;
            case OutputLayout.Heads:
                HeadReader.Read(model, outputs, confidence, into);
                break;
            case OutputLayout.Priors:
                PriorReader.Read(model, outputs, confidence, into);
                break;
            case OutputLayout.People:
                PeopleReader.Read(model, outputs, confidence, into);
                break;
            case OutputLayout.Distances:
                Distances(numbers, model, confidence, into);
                break;
            case OutputLayout.Queries or OutputLayout.CornersAndScores:
                Pairs(numbers, outputs[1], model, confidence, into);
                break;
            case OutputLayout.TextMap:
                TextRegions.Read(numbers, (int)outputs.Shape(0)[^1], model.Activation, confidence, into);
                break;
            case OutputLayout.Lists:
                Lists(outputs, model, letterbox, confidence, into);
                break;
            default:
                break;
        }
        if (model.Info.Engine == VisionTasks.Obb && model.Layout is not (OutputLayout.EndToEnd or OutputLayout.TextMap))
            Turn(model, outputs, into);
    }

    /// <summary>A number that a box has after its scores: a mask's coefficient, a keypoint's coordinate, an angle.</summary>
    public static float Extra(ModelMetadata model, in ModelOutputs outputs, int anchor, int index)
    {
        var shape = model.Shapes[0];
        return model.Layout switch
        {
            OutputLayout.Heads => HeadReader.Point(model, outputs, anchor, index),
            OutputLayout.People => PeopleReader.Number(model, outputs, anchor, index),
            OutputLayout.Priors => outputs[2][(anchor * model.Extras) + index],
            OutputLayout.Rows when model.ExtrasFirst => outputs[0][(anchor * (int)shape[2]) + 5 + index],
            OutputLayout.Columns => outputs[0][((4 + model.Classes + index) * (int)shape[2]) + anchor],
            OutputLayout.EndToEnd => outputs[0][(anchor * (int)shape[2]) + 6 + index],
            OutputLayout.ScoreRows => outputs[0][(anchor * (int)shape[2]) + 4 + model.Classes + index],
            _ => outputs[0][(anchor * (int)shape[2]) + 5 + model.Classes + index],
        };
    }

    /// <summary><c>[4 + classes, anchors]</c>: a row of numbers per quantity, centre and size in input pixels, no objectness.</summary>
    public static void Columns(ReadOnlySpan<float> output, int anchors, int classes, float confidence, Candidates into)
    {
        // Anchors are taken in blocks that stay in the nearest cache while all classes go over them.
        const int block = 1024;
        Span<float> best = stackalloc float[block];
        for (var start = 0; start < anchors; start += block)
        {
            var count = Math.Min(block, anchors - start);
            output.Slice((4 * anchors) + start, count).CopyTo(best);
            for (var c = 1; c < classes; c++)
                Raise(best[..count], output.Slice(((4 + c) * anchors) + start, count));
            for (var i = 0; i < count; i++)
            {
                if (best[i] < confidence)
                    continue;
                var anchor = start + i;
                var classId = 0;
                while (output[((4 + classId) * anchors) + anchor] != best[i])
                    classId++;
                into.Add(FromCentre(
                    output[anchor], output[anchors + anchor], output[(2 * anchors) + anchor], output[(3 * anchors) + anchor], best[i], classId, anchor));
            }
        }
    }

    /// <summary><c>[anchors, 5 + classes + extras]</c>: centre and size in input pixels, objectness, scores; sure is their product.</summary>
    /// <param name="output">The numbers.</param>
    /// <param name="row">How many each anchor has.</param>
    /// <param name="classes">Classes that are scored.</param>
    /// <param name="confidence">Boxes below this are left out.</param>
    /// <param name="into">Where boxes are added.</param>
    /// <param name="skip">Numbers between the objectness and the scores.</param>
    public static void Rows(ReadOnlySpan<float> output, int row, int classes, float confidence, Candidates into, int skip = 0)
    {
        for (int at = 0, anchor = 0; at < output.Length; at += row, anchor++)
        {
            if (output[at + 4] < confidence)
                continue;
            var (classId, best) = Best(output.Slice(at + 5 + skip, classes));
            var score = best * output[at + 4];
            if (score >= confidence)
                into.Add(FromCentre(output[at], output[at + 1], output[at + 2], output[at + 3], score, classId, anchor));
        }
    }

    /// <summary>As <see cref="Rows"/>, but centre and size count from the anchor's cell, in cells, the size as its logarithm.</summary>
    public static void Cells(ReadOnlySpan<float> output, ModelMetadata model, float confidence, Candidates into)
    {
        var row = 5 + model.Classes;
        int at = 0, anchor = 0;
        foreach (var cell in model.Strides)
        {
            int columns = model.Input.Width / cell, lines = model.Input.Height / cell;
            for (var y = 0; y < lines; y++)
            {
                for (var x = 0; x < columns; x++, at += row, anchor++)
                {
                    if (output[at + 4] < confidence)
                        continue;
                    var (classId, best) = Best(output.Slice(at + 5, model.Classes));
                    var score = best * output[at + 4];
                    if (score < confidence)
                        continue;
                    into.Add(FromCentre(
                        (output[at] + x) * cell,
                        (output[at + 1] + y) * cell,
                        MathF.Exp(output[at + 2]) * cell,
                        MathF.Exp(output[at + 3]) * cell,
                        score, classId, anchor));
                }
            }
        }
    }

    /// <summary><c>[anchors, 4 + classes + extras]</c>: centre and size, in input pixels or shares of the input, and scores.</summary>
    private static void ScoreRows(ReadOnlySpan<float> output, ModelMetadata model, float confidence, Candidates into)
    {
        var row = (int)model.Shapes[0][2];
        var threshold = Threshold(confidence, model.Activation);
        var (width, height) = Unit(model);
        for (int at = 0, anchor = 0; at < output.Length; at += row, anchor++)
        {
            var (classId, score) = Best(output.Slice(at + 4, model.Classes));
            if (score >= threshold)
            {
                into.Add(FromCentre(
                    output[at] * width, output[at + 1] * height, output[at + 2] * width, output[at + 3] * height,
                    Activate(score, model.Activation), classId, anchor));
            }
        }
    }

    /// <summary>
    /// <c>[n, 6 + extras]</c>: corners, score and class in the model's order; for turned boxes centre and size in place of corners, and
    /// the angle last.
    /// </summary>
    private static void Found(ReadOnlySpan<float> output, int row, ModelMetadata model, float confidence, Candidates into)
    {
        var turned = model.Info.Engine == VisionTasks.Obb;
        var order = model.Order;
        var (width, height) = Unit(model);
        for (int at = 0, anchor = 0; at + row <= output.Length; at += row, anchor++)
        {
            var score = output[at + order.Score];
            if (score < confidence || (order.Picture >= 0 && output[at + order.Picture] < 0))
                continue;
            var box = output.Slice(at + order.Box, 4);
            var (a, b, c, d) = order.YFirst ? (box[1], box[0], box[3], box[2]) : (box[0], box[1], box[2], box[3]);
            (a, b, c, d) = (a * width, b * height, c * width, d * height);
            var classId = (int)output[at + order.Class];
            into.Add(turned
                ? FromCentre(a, b, c, d, score, classId, anchor) with { Angle = output[at + 6] }
                : new Candidate(a, b, c, d, score, classId, anchor));
        }
    }

    /// <summary>
    /// <c>[anchors, classes + 4 * bins]</c>: the distance of each side from the anchor's point is the mean of a
    /// distribution over 0, 1, 2 … cells (Generalized Focal Loss, arXiv 2006.04388).
    /// </summary>
    private static void Distances(ReadOnlySpan<float> output, ModelMetadata model, float confidence, Candidates into)
    {
        var bins = model.Extras / 4;
        var row = model.Classes + model.Extras;
        Span<float> side = stackalloc float[4];
        int at = 0, anchor = 0;
        foreach (var cell in model.Strides)
        {
            var columns = AnchorGrid.Along(model.Input.Width, cell, partial: true);
            var lines = AnchorGrid.Along(model.Input.Height, cell, partial: true);
            for (var y = 0; y < lines; y++)
            {
                for (var x = 0; x < columns; x++, at += row, anchor++)
                {
                    var (classId, score) = Best(output.Slice(at, model.Classes));
                    if (score < confidence)
                        continue;
                    for (var s = 0; s < 4; s++)
                        side[s] = Mean(output.Slice(at + model.Classes + (s * bins), bins)) * cell;
                    float px = (x + model.CellOffset) * cell, py = (y + model.CellOffset) * cell;
                    into.Add(new Candidate(
                        Math.Max(0, px - side[0]), Math.Max(0, py - side[1]),
                        Math.Min(model.Input.Width, px + side[2]), Math.Min(model.Input.Height, py + side[3]), score, classId, anchor));
                }
            }
        }
    }

    /// <summary>The mean of 0, 1, 2 … weighted by the softmax of the numbers.</summary>
    public static float Mean(ReadOnlySpan<float> logits)
    {
        var most = TensorPrimitives.Max(logits);
        float sum = 0, weighted = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            var weight = MathF.Exp(logits[i] - most);
            sum += weight;
            weighted += weight * i;
        }
        return weighted / sum;
    }

    /// <summary>Boxes <c>[n, 4]</c> and scores <c>[n, classes]</c>: of queries centre and size as shares, of anchors corners in pixels.</summary>
    private static void Pairs(ReadOnlySpan<float> boxes, ReadOnlySpan<float> scores, ModelMetadata model, float confidence, Candidates into)
    {
        var row = model.Classes + (model.Background == BackgroundColumn.None ? 0 : 1);
        var first = model.Background == BackgroundColumn.First ? 1 : 0;
        var threshold = model.Activation == Activation.Softmax ? float.NegativeInfinity : Threshold(confidence, model.Activation);
        var (width, height) = Unit(model);
        scoped Span<float> shares = row <= 512 ? stackalloc float[row] : new float[row];
        for (int at = 0, anchor = 0; at < scores.Length; at += row, anchor++)
        {
            var all = scores.Slice(at, row);
            if (model.Activation == Activation.Softmax)
                SoftMax(all, shares);
            var (classId, score) = Best((model.Activation == Activation.Softmax ? shares : all).Slice(first, model.Classes));
            if (score < threshold)
                continue;
            if (model.Activation == Activation.Sigmoid)
                score = Activate(score, Activation.Sigmoid);
            if (score < confidence)
                continue;
            var box = boxes.Slice(anchor * 4, 4);
            var (a, b, c, d) = (box[0] * width, box[1] * height, box[2] * width, box[3] * height);
            into.Add(model.Layout == OutputLayout.Queries
                ? FromCentre(a, b, c, d, score, classId, anchor)
                : new Candidate(a, b, c, d, score, classId, anchor));
        }
    }

    /// <summary>Boxes <c>[n, 4]</c>, labels <c>[n]</c> and scores <c>[n]</c>, perhaps how many of them count.</summary>
    private static void Lists(in ModelOutputs outputs, ModelMetadata model, in Letterbox letterbox, float confidence, Candidates into)
    {
        ReadOnlySpan<float> boxes = outputs[0], labels = outputs[1], scores = outputs[2];
        var count = Math.Min(Math.Min(boxes.Length / 4, labels.Length), scores.Length);
        if (model.Outputs.Length > 3 && outputs[3].Length > 0)
            count = Math.Clamp((int)outputs[3][0], 0, count);
        var (width, height) = Unit(model);
        for (var i = 0; i < count; i++)
        {
            if (scores[i] < confidence)
                continue;
            var box = boxes.Slice(i * 4, 4);
            var (x1, y1, x2, y2) = model.RowsFirst ? (box[1], box[0], box[3], box[2]) : (box[0], box[1], box[2], box[3]);
            if (model.Units == BoxUnits.Told)
            {
                // These are pixels of the picture already; everything else here is in pixels of the input.
                var told = letterbox.ToInput(new(x1 + letterbox.FromX, y1 + letterbox.FromY, x2 + letterbox.FromX, y2 + letterbox.FromY));
                into.Add(new Candidate((float)told.X1, (float)told.Y1, (float)told.X2, (float)told.Y2, scores[i], (int)labels[i], i));
            }
            else
            {
                into.Add(new Candidate(x1 * width, y1 * height, x2 * width, y2 * height, scores[i], (int)labels[i], i));
            }
        }
    }

    /// <summary>For the layouts whose boxes are in pixels and whose scores are probabilities unless overrides say otherwise.</summary>
    private static void Finish(ModelMetadata model, Candidates into)
    {
        if (model.Units != BoxUnits.Shares && model.Activation == Activation.None)
            return;
        var (width, height) = Unit(model);
        foreach (ref var found in into.Span)
        {
            found = found with
            {
                X1 = found.X1 * width, Y1 = found.Y1 * height, X2 = found.X2 * width, Y2 = found.Y2 * height, Score = Activate(found.Score, model.Activation),
            };
        }
    }

    private static void Turn(ModelMetadata model, in ModelOutputs outputs, Candidates into)
    {
        foreach (ref var candidate in into.Span)
            candidate.Angle = Extra(model, outputs, candidate.Anchor, 0);
    }

    /// <summary>What coordinates are multiplied by to be in pixels of the input.</summary>
    public static (float Width, float Height) Unit(ModelMetadata model) =>
        model.Units == BoxUnits.Shares ? (model.Input.Width, model.Input.Height) : (1, 1);

    /// <summary>The threshold before the activation, so that only what passes it has to be activated.</summary>
    private static float Threshold(float confidence, Activation activation) =>
        activation == Activation.Sigmoid ? MathF.Log(confidence / (1 - confidence)) : confidence;

    /// <summary>Scores as shares of one; they are taken from the highest, whose exponential could be beyond all numbers.</summary>
    public static void SoftMax(ReadOnlySpan<float> scores, Span<float> shares)
    {
        TensorPrimitives.Subtract(scores, TensorPrimitives.Max(scores), shares);
        TensorPrimitives.SoftMax(shares, shares);
    }

    /// <summary>A score as a probability.</summary>
    public static float Activate(float score, Activation activation) =>
        activation == Activation.Sigmoid ? 1 / (1 + MathF.Exp(-score)) : score;

    /// <summary>The class with the highest score.</summary>
    public static (int ClassId, float Score) Best(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var c = 1; c < scores.Length; c++)
        {
            if (scores[c] > scores[best])
                best = c;
        }
        return (best, scores[best]);
    }

    private static Candidate FromCentre(float x, float y, float width, float height, float score, int classId, int anchor) =>
        new(x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2), score, classId, anchor);

    private static void Raise(Span<float> best, ReadOnlySpan<float> scores)
    {
        ref var b = ref MemoryMarshal.GetReference(best);
        ref var s = ref MemoryMarshal.GetReference(scores);
        nuint i = 0;
        for (; i + (nuint)Vector512<float>.Count <= (nuint)best.Length; i += (nuint)Vector512<float>.Count)
            Vector512.MaxNative(Vector512.LoadUnsafe(ref b, i), Vector512.LoadUnsafe(ref s, i)).StoreUnsafe(ref b, i);
        for (; i < (nuint)best.Length; i++)
            Unsafe.Add(ref b, i) = MathF.Max(Unsafe.Add(ref b, i), Unsafe.Add(ref s, i));
    }
}
