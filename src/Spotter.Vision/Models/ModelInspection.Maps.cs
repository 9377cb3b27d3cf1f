using System.Globalization;
using Spotter.Core;

namespace Spotter.Vision.Models;

/// <content>Models that give a map of the picture, or a vector for it.</content>
internal sealed partial class ModelInspection
{
    private static readonly string[] TwoSides = ["background", "foreground"];

    private static bool IsWhole(OutputLayout layout) => layout is OutputLayout.ClassMap or OutputLayout.ValueMap or OutputLayout.Vector;

    /// <summary>What such a model is, once its input is known.</summary>
    private ModelMetadata ReadWhole(LayoutGuess guess, IReadOnlyList<string>? names)
    {
        if (guess.Map is not null && input.Fit == Fit.Crop)
            throw Contradicts("'input.fit' is crop, but a map is of the whole picture; it can be letterbox, letterbox-top-left or stretch");
        var map = guess is { Layout: OutputLayout.ClassMap, Map: { Channels: 1, IsIds: false } scores } ? scores with { Threshold = ThresholdOf(guess) } : guess.Map;
        IReadOnlyList<string> labels = guess.Layout == OutputLayout.ClassMap ? MapLabels(guess, names) : [];
        if (guess.Layout == OutputLayout.ClassMap)
            Note("labels", string.Create(CultureInfo.InvariantCulture, $"{labels.Count}"), overrides.Labels is not null ? FactSource.Overridden : names is not null ? FactSource.Stated : FactSource.Assumed);
        else if (overrides.Labels is not null)
            throw Contradicts($"it has 'labels', but a model for the task '{guess.Task}' gives none");
        if (guess.Layout == OutputLayout.Vector)
            Note("numbers", string.Create(CultureInfo.InvariantCulture, $"{guess.Classes}"), FactSource.Stated);
        return new ModelMetadata
        {
            Info = new ModelInfo(Path.GetFileNameWithoutExtension(file), guess.Task, guess.Family, input.Width, input.Height, labels) { Version = ModelVersion.Of(file), Tensors = Tensors() },
            Input = input,
            Size = size,
            Fixed = constant,
            Layout = guess.Layout,
            Outputs = guess.Outputs,
            Shapes = [.. guess.Outputs.Select(o => Blank(o).Shape)],
            Classes = labels.Count,
            Map = map,
            Dimensions = guess.Layout == OutputLayout.Vector ? guess.Classes : 0,
            Facts = facts,
        };
    }

    /// <summary>One score for each cell is that of the foreground, whose name may be the only one.</summary>
    private static IReadOnlyList<string> MapLabels(LayoutGuess guess, IReadOnlyList<string>? names)
    {
        var isOneSided = guess.Map is { Channels: 1, IsIds: false };
        if (names is [var foreground] && isOneSided)
            return [TwoSides[0], foreground];
        if (names is not null)
            return names;
        return guess.Classes switch
        {
            2 => TwoSides,
            19 => LabelSets.Cityscapes,
            21 => LabelSets.Voc,
            _ => [.. Enumerable.Range(0, guess.Classes).Select(LabelNames.Unnamed)],
        };
    }

    /// <summary>Where a score parts the foreground from the rest: in the middle of probabilities, at 0 of logits.</summary>
    private float ThresholdOf(LayoutGuess guess)
    {
        var (activation, source) = (overrides.Activation, onnx.MakerOf(session.Outputs[guess.Outputs[0]].Name)) switch
        {
            ({ } said, _) => (said, FactSource.Overridden),
            (_, "Sigmoid" or "HardSigmoid") => (Activation.None, FactSource.Inferred),
            _ when AreShares(guess.Outputs[0]) => (Activation.None, FactSource.Assumed),
            _ => (Activation.Sigmoid, FactSource.Inferred),
        };
        Note("scores", Word(activation), source);
        return activation == Activation.None ? 0.5f : 0;
    }

    private bool AreShares(int output)
    {
        foreach (var run in TrialPictures.All.Select(picture => Tried(picture, output)).Append(Blank(output)))
        {
            foreach (var number in run.Span)
            {
                if (number is not (>= 0 and <= 1.0001f))
                    return false;
            }
        }
        return true;
    }
}
