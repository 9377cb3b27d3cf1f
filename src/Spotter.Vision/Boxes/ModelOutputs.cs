using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Spotter.Core;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Boxes;

/// <summary>The outputs that belong to one picture of a run.</summary>
/// <param name="run">The run's outputs.</param>
/// <param name="item">Which of its pictures.</param>
/// <param name="batch">How many pictures it had.</param>
internal readonly struct ModelOutputs(OrtOutput[] run, int item, int batch)
{
    /// <summary>The numbers of an output, by its place in <see cref="ModelMetadata.Outputs"/>.</summary>
    public ReadOnlySpan<float> this[int output]
    {
        get
        {
            var all = run[output].Span;
            var each = all.Length / batch;
            return all.Slice(item * each, each);
        }
    }

    /// <summary>The shape of an output for one picture; its first dimension counts pictures.</summary>
    public long[] Shape(int output) => run[output].Shape;

    /// <summary>Refuses outputs that mean nothing, or are not those that the model promised.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>.</exception>
    public void Check(ModelMetadata model)
    {
        CheckLengths(model);
        if (!AreFinite(model))
        {
            throw new SpotterException(ErrorCodes.ModelOutputInvalid,
                $"{model.Info.Id} gave numbers that are infinite or not numbers at all; export the model again.");
        }
    }

    /// <summary>Refuses outputs that are not as long as the model promised.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>.</exception>
    public void CheckLengths(ModelMetadata model)
    {
        for (var i = 0; i < model.Outputs.Length; i++)
        {
            var expected = 1L;
            foreach (var dimension in model.Shapes[i])
                expected *= dimension;
            var length = this[i].Length;
            if (!model.Shapes[i].Contains(-1) && length != expected)
            {
                throw new SpotterException(ErrorCodes.ModelOutputInvalid,
                    $"{model.Info.Id} gave {length} numbers where {expected} were expected; export the model again.");
            }
        }
    }

    /// <summary>Whether all of them are numbers.</summary>
    public bool AreFinite(ModelMetadata model)
    {
        for (var i = 0; i < model.Outputs.Length; i++)
        {
            if (!AllFinite(this[i]))
                return false;
        }
        return true;
    }

    /// <summary>A finite number times zero is zero; anything else stays what it is.</summary>
    public static bool AllFinite(ReadOnlySpan<float> numbers)
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
