using System.Globalization;
using Spotter.Vision.Boxes;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Inference;

/// <summary>
/// Tries a reading of a detector's outputs on pictures with known content. A reading that is wrong shows in numbers that no
/// detector gives: probabilities beyond 1, classes that there are not, boxes outside the picture, many sure finds in noise.
/// </summary>
internal static class ModelTrial
{
    // What the service asks for unless told otherwise.
    private const float Confidence = 0.25f;
    private const double Iou = 0.45;

    // A detector that is read rightly finds a handful at most in noise, and nearly all of its boxes lie in the picture.
    private const int MostInNoise = 100;
    private const double FewestSound = 0.9;

    // Numbers of eight bits, and of half the usual length, overshoot a little.
    private const float MostScore = 1.02f;

    /// <summary>Tries a reading.</summary>
    /// <param name="model">The reading.</param>
    /// <param name="areNamed">Its classes are named, and not assumed to be usual ones.</param>
    /// <param name="run">What the model says about a picture: the outputs that the reading wants.</param>
    public static TrialVerdict Judge(ModelMetadata model, bool areNamed, Func<TrialPicture, OrtOutput[]> run)
    {
        if (WholeTrial.Takes(model.Layout))
            return WholeTrial.Judge(model, areNamed, run);
        var letterbox = Letterbox.Create(model.Input with { Fit = Fit.Stretch }, model.Input.Width, model.Input.Height);
        var candidates = new Candidates();
        var found = new Dictionary<TrialPicture, int>();
        int all = 0, sound = 0;
        var unnamed = false;
        foreach (var picture in TrialPictures.All)
        {
            var outputs = new ModelOutputs(run(picture), 0, 1);
            outputs.CheckLengths(model);
            if (!outputs.AreFinite(model))
                return new(null, $"it gives numbers that are infinite or not numbers at all about {Word(picture)}", "");
            if (OddScore(model, outputs) is { } odd)
                return new(string.Create(CultureInfo.InvariantCulture, $"it would be {odd:0.##} sure of something in {Word(picture)}, where 0 is the least and 1 the most"), null, "");
            if (model.Layout == OutputLayout.People && !PeopleReader.CanBe(model, outputs))
                return new($"its numbers about {Word(picture)} are no keypoints: they lie far outside, or are surer than 1", null, "");
            BoxReader.Read(model, outputs, letterbox, Confidence, candidates);
            foreach (ref readonly var box in candidates.Span)
            {
                if (box.Score > MostScore)
                    return new(string.Create(CultureInfo.InvariantCulture, $"it would be {box.Score:0.##} sure of a find in {Word(picture)}, where 1 is the most"), null, "");
                // Those that count from one have one more.
                if (box.ClassId < 0 || (areNamed && box.ClassId > model.Info.Labels.Count))
                    return new(string.Create(CultureInfo.InvariantCulture, $"it would find class {box.ClassId} in {Word(picture)}, where it has {model.Info.Labels.Count}"), null, "");
                unnamed |= box.ClassId > model.Info.Labels.Count;
                all++;
                sound += IsSound(box, model.Input) ? 1 : 0;
            }
            if (!model.NoDuplicates)
                NonMaxSuppression.Apply(candidates, Iou, turned: false);
            found[picture] = candidates.Count;
        }
        var seen = string.Join(", ", TrialPictures.All.Select(picture => string.Create(CultureInfo.InvariantCulture, $"{found[picture]} in {Word(picture)}")));
        if (found[TrialPicture.Noise] >= MostInNoise || found[TrialPicture.Grey] >= MostInNoise)
            return new(null, "it finds much where there is nothing", seen);
        if (all > 0 && sound < FewestSound * all)
            return new(null, string.Create(CultureInfo.InvariantCulture, $"{all - sound} of its {all} boxes lie outside the picture, or have no area"), seen);
        return new(null, unnamed ? $"it finds classes beyond the {model.Info.Labels.Count} whose names are assumed" : null, seen);
    }

    /// <summary>A score of a row, whether it is a find or not, that is no probability; null when all of them are.</summary>
    private static float? OddScore(ModelMetadata model, in ModelOutputs outputs)
    {
        if (model.Layout != OutputLayout.Rows || model.Activation != Activation.None)
            return null;
        var row = (int)model.Shapes[0][2];
        var first = 5 + (model.ExtrasFirst ? model.Extras : 0);
        var numbers = outputs[0];
        for (var at = 0; at + row <= numbers.Length; at += row)
        {
            foreach (var score in numbers.Slice(at + first, model.Classes))
            {
                if (score is < 1 - MostScore or > MostScore)
                    return score;
            }
        }
        return null;
    }

    private static bool IsSound(in Candidate box, InputSpec input)
    {
        float x = (box.X1 + box.X2) / 2, y = (box.Y1 + box.Y2) / 2;
        return box.X2 > box.X1 && box.Y2 > box.Y1 && x >= 0 && x <= input.Width && y >= 0 && y <= input.Height
            && box.X2 - box.X1 <= 2 * input.Width && box.Y2 - box.Y1 <= 2 * input.Height;
    }

    /// <summary>What a picture of the trial is called.</summary>
    public static string Word(TrialPicture picture) => picture switch
    {
        TrialPicture.Grey => "grey",
        TrialPicture.Noise => "noise",
        _ => "drawn shapes",
    };
}
