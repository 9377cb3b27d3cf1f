using System.Numerics.Tensors;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>From a model's vector to one of length 1, so that the sum of products of two of them says how alike their pictures are.</summary>
internal static class VectorReader
{
    /// <summary>The first numbers of an output, divided by their length; all 0 when they are.</summary>
    public static float[] Read(ModelMetadata model, ReadOnlySpan<float> numbers)
    {
        var vector = numbers[..model.Dimensions].ToArray();
        // Squares of large numbers are too large for a float.
        var most = TensorPrimitives.MaxMagnitude(vector);
        if (most == 0)
            return vector;
        TensorPrimitives.Divide(vector, Math.Abs(most), vector);
        TensorPrimitives.Divide(vector, TensorPrimitives.Norm(vector), vector);
        return vector;
    }
}
