using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>
/// Boxes that count from prepared ones, which the model gives as well (<see cref="OutputLayout.Priors"/>): the centre in shares of the
/// prepared size, the size as its logarithm, with SSD's variances (arXiv 1512.02325).
/// </summary>
internal static class PriorReader
{
    private const float Shift = 0.1f;
    private const float Growth = 0.2f;

    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of one picture.</param>
    /// <param name="confidence">Boxes below this are left out.</param>
    /// <param name="into">Where boxes are added.</param>
    public static void Read(ModelMetadata model, in ModelOutputs outputs, float confidence, Candidates into)
    {
        ReadOnlySpan<float> boxes = outputs[0], priors = outputs[3], scores = outputs[4];
        var row = model.Classes + 1;
        var (width, height) = BoxReader.Unit(model);
        scoped Span<float> shares = row <= 512 ? stackalloc float[row] : new float[row];
        for (int at = 0, anchor = 0; at < scores.Length; at += row, anchor++)
        {
            var all = scores.Slice(at, row);
            if (model.Activation == Activation.Softmax)
                BoxReader.SoftMax(all, shares);
            // The first says that there is nothing.
            var (classId, score) = BoxReader.Best((model.Activation == Activation.Softmax ? shares : all)[1..]);
            if (score < confidence)
                continue;
            ReadOnlySpan<float> box = boxes.Slice(anchor * 4, 4), prior = priors.Slice(anchor * 4, 4);
            float x = prior[0] + (box[0] * Shift * prior[2]), y = prior[1] + (box[1] * Shift * prior[3]);
            float wide = prior[2] * MathF.Exp(box[2] * Growth) / 2, tall = prior[3] * MathF.Exp(box[3] * Growth) / 2;
            into.Add(new Candidate((x - wide) * width, (y - tall) * height, (x + wide) * width, (y + tall) * height, score, classId, anchor));
        }
    }
}
