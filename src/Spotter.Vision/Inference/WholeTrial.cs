using System.Globalization;
using System.Numerics.Tensors;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Inference;

/// <summary>Tries a reading of outputs that are about the whole picture: a map, a vector, or the scores of a classifier that may be one.</summary>
internal static class WholeTrial
{
    // Of a vector that its graph brings to length 1.
    private const double LengthOff = 0.001;
    private const float MostShare = 1.02f;

    /// <summary>True for readings that are tried here.</summary>
    public static bool Takes(OutputLayout layout) => layout is OutputLayout.ClassMap or OutputLayout.ValueMap or OutputLayout.Vector or OutputLayout.Classes;

    /// <summary>As <see cref="ModelTrial.Judge"/>.</summary>
    public static TrialVerdict Judge(ModelMetadata model, bool areNamed, Func<TrialPicture, OrtOutput[]> run)
    {
        var (isShares, isNegative, isVector, highest) = (true, false, true, 0f);
        foreach (var picture in TrialPictures.All)
        {
            var outputs = run(picture);
            new Boxes.ModelOutputs(outputs, 0, 1).CheckLengths(model);
            var numbers = outputs[0].Span;
            if (numbers.IsEmpty)
                return new($"it gives no numbers about {ModelTrial.Word(picture)}", null, "");
            if (!Boxes.ModelOutputs.AllFinite(numbers))
                return new(null, $"it gives numbers that are infinite or not numbers at all about {ModelTrial.Word(picture)}", "");
            float least = TensorPrimitives.Min(numbers), most = TensorPrimitives.Max(numbers);
            isShares &= least >= 0 && most <= MostShare;
            isNegative |= least < 0;
            highest = Math.Max(highest, most);
            isVector &= least < 0 && Math.Abs(TensorPrimitives.Norm(numbers) - 1) < LengthOff;
        }
        return model.Layout switch
        {
            OutputLayout.Vector when highest == 0 && !isNegative => new(null, "all of its numbers are 0 whatever the picture", ""),
            OutputLayout.Classes => new(null, isVector ? "its numbers are a vector of length 1 whatever the picture" : null, ""),
            OutputLayout.ClassMap when model.Map!.IsIds && areNamed && highest >= model.Info.Labels.Count =>
                new(string.Create(CultureInfo.InvariantCulture, $"it would find class {highest}, where it has {model.Info.Labels.Count}"), null, ""),
            // Of the scores of a foreground some are below 0, as logits, or all of them are probabilities.
            OutputLayout.ClassMap when model.Map is { Channels: 1, IsIds: false } && !isNegative && !isShares => new(null, "none of its numbers is below 0, as logits are", ""),
            OutputLayout.ValueMap when model.Info.Engine == VisionTasks.Saliency && !isShares => new(null, "its numbers are no probabilities", ""),
            _ => new(null, null, ""),
        };
    }
}
