using System.Numerics.Tensors;
using System.Text;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>
/// From a text reader's scores to its text: the best of each step, of which those that repeat the step before, and blanks, are left out
/// (Connectionist Temporal Classification, best path).
/// </summary>
internal static class CtcReader
{
    /// <summary>Reads a line.</summary>
    /// <param name="scores">Scores of all columns, step by step.</param>
    /// <param name="characters">What the columns stand for.</param>
    /// <param name="activation">What the scores still need to be probabilities.</param>
    public static Reading Read(ReadOnlySpan<float> scores, CharacterSet characters, Activation activation)
    {
        var text = new StringBuilder();
        var columns = characters.Characters.Count;
        int previous = characters.Blank, count = 0;
        double sum = 0;
        for (var at = 0; at + columns <= scores.Length; at += columns)
        {
            var step = scores.Slice(at, columns);
            var best = TensorPrimitives.IndexOfMax(step);
            if (best != previous && best != characters.Blank)
            {
                text.Append(characters.Characters[best]);
                sum += Share(step, best, activation);
                count++;
            }
            previous = best;
        }
        return new Reading(text.ToString(), count == 0 ? 0 : Math.Round(Math.Clamp(sum / count, 0, 1), 4));
    }

    private static double Share(ReadOnlySpan<float> step, int best, Activation activation)
    {
        if (activation == Activation.Sigmoid)
            return 1 / (1 + Math.Exp(-step[best]));
        if (activation != Activation.Softmax)
            return step[best];
        double sum = 0;
        foreach (var score in step)
            sum += Math.Exp(score - step[best]);
        return 1 / sum;
    }
}
