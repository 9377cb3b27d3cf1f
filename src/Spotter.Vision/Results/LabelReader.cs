using System.Numerics.Tensors;
using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>From a classifier's numbers to the labels of a picture.</summary>
internal static class LabelReader
{
    /// <summary>
    /// The most confident labels first: those that are wanted, as many as asked for. A picture always has a best one, so
    /// the threshold for boxes does not apply.
    /// </summary>
    public static List<Label> Read(ModelMetadata model, ReadOnlySpan<float> numbers, VisionParameters options)
    {
        Span<float> shares = numbers.Length <= 4096 ? stackalloc float[numbers.Length] : new float[numbers.Length];
        switch (model.Activation)
        {
            case Activation.Softmax:
                BoxReader.SoftMax(numbers, shares);
                break;
            case Activation.Sigmoid:
                TensorPrimitives.Sigmoid(numbers, shares);
                break;
            default:
                TensorPrimitives.Multiply(numbers, model.ScoreScale, shares);
                break;
        }
        if (options.Labels is { } wanted)
        {
            for (var i = 0; i < shares.Length; i++)
            {
                if (!wanted.Contains(model.Label(i), StringComparer.OrdinalIgnoreCase))
                    shares[i] = -1;
            }
        }
        var top = new List<Label>(Math.Min(options.Top, shares.Length));
        while (top.Count < options.Top && top.Count < shares.Length)
        {
            var best = TensorPrimitives.IndexOfMax(shares);
            if (shares[best] < 0)
                break;
            top.Add(new Label(model.Label(best), best, Math.Round(Math.Clamp(shares[best], 0, 1), 4)));
            shares[best] = -1;
        }
        return top;
    }
}
