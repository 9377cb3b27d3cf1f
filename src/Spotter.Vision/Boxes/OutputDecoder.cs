using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Spotter.Core;
using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>Reads boxes out of a model's output. Spans only: no model or picture is needed to test it.</summary>
internal static class OutputDecoder
{
    /// <summary>Adds every box whose best class is at least <paramref name="confidence"/> sure.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>.</exception>
    public static void Decode(DetectorModel model, ReadOnlySpan<float> output, float confidence, Candidates into)
    {
        if (output.Length != model.OutputLength)
        {
            throw new SpotterException(
                ErrorCodes.ModelOutputInvalid, $"{model.Info.Id} gave {output.Length} numbers where {model.OutputLength} were expected; export the model anew.");
        }
        if (!AllFinite(output))
        {
            throw new SpotterException(
                ErrorCodes.ModelOutputInvalid, $"{model.Info.Id} gave numbers that are infinite or not numbers at all; export the model anew.");
        }
        into.Clear();
        if (model.Family == DetectorFamily.YoloV8)
            DecodeColumns(output, model.Anchors, model.Classes, confidence, into);
        else if (model.BoxesInCells)
            DecodeHeads(output, model, confidence, into);
        else
            DecodeRows(output, model.Classes, confidence, into);
    }

    /// <summary><c>[4 + classes, anchors]</c>: a row of numbers per quantity, centre and size in input pixels, no objectness.</summary>
    public static void DecodeColumns(ReadOnlySpan<float> output, int anchors, int classes, float confidence, Candidates into)
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

    /// <summary><c>[anchors, 5 + classes]</c>: centre and size in input pixels, objectness, scores; sure is their product.</summary>
    public static void DecodeRows(ReadOnlySpan<float> output, int classes, float confidence, Candidates into)
    {
        var stride = 5 + classes;
        for (int at = 0, anchor = 0; at < output.Length; at += stride, anchor++)
        {
            if (output[at + 4] < confidence)
                continue;
            var (classId, score) = Best(output.Slice(at, stride));
            if (score >= confidence)
                into.Add(FromCentre(output[at], output[at + 1], output[at + 2], output[at + 3], score, classId, anchor));
        }
    }

    /// <summary>As <see cref="DecodeRows"/>, but centre and size count from the anchor's cell, in cells, the size as its logarithm.</summary>
    public static void DecodeHeads(ReadOnlySpan<float> output, DetectorModel model, float confidence, Candidates into)
    {
        var row = 5 + model.Classes;
        int at = 0, anchor = 0;
        foreach (var cell in AnchorGrid.Strides)
        {
            int columns = model.InputWidth / cell, lines = model.InputHeight / cell;
            for (var y = 0; y < lines; y++)
            {
                for (var x = 0; x < columns; x++, at += row, anchor++)
                {
                    if (output[at + 4] < confidence)
                        continue;
                    var (classId, score) = Best(output.Slice(at, row));
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

    private static (int ClassId, float Score) Best(ReadOnlySpan<float> row)
    {
        var scores = row[5..];
        var best = 0;
        for (var c = 1; c < scores.Length; c++)
        {
            if (scores[c] > scores[best])
                best = c;
        }
        return (best, scores[best] * row[4]);
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

    /// <summary>A finite number times zero is zero; anything else stays what it is.</summary>
    private static bool AllFinite(ReadOnlySpan<float> numbers)
    {
        ref var n = ref MemoryMarshal.GetReference(numbers);
        var sum = Vector512<float>.Zero;
        nuint i = 0;
        for (; i + (nuint)Vector512<float>.Count <= (nuint)numbers.Length; i += (nuint)Vector512<float>.Count)
            sum += Vector512.LoadUnsafe(ref n, i) * Vector512<float>.Zero;
        var rest = Vector512.Sum(sum);
        for (; i < (nuint)numbers.Length; i++)
            rest += Unsafe.Add(ref n, i) * 0;
        return rest == 0;
    }
}
