using System.Diagnostics;
using Spotter.Cli.Detect;
using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Cli.Evaluate;

/// <summary>What was found out about a model.</summary>
/// <param name="Report">The figures.</param>
/// <param name="Evaluation">What they were made from, with the curves.</param>
/// <param name="Confusion">What is taken for what.</param>
internal sealed record EvaluationFindings(EvaluationReport Report, Evaluation Evaluation, Confusion Confusion);

/// <summary>Runs a model over labelled pictures and measures what it finds.</summary>
internal static class EvaluationRun
{
    /// <summary>Looks at every picture.</summary>
    /// <param name="run">The model and the pictures, in the order of <paramref name="folder"/>.</param>
    /// <param name="folder">What is in them.</param>
    /// <param name="classes">Which class is which.</param>
    /// <param name="confidence">Where precision and recall are wanted; null for where they are best.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="lanes">Pictures at once.</param>
    /// <param name="finished">Called after every picture.</param>
    /// <param name="failed">Is told of a picture that could not be looked at.</param>
    /// <param name="cancel">Takes effect between pictures.</param>
    public static async Task<EvaluationFindings> MeasureAsync(
        DetectRun run, LabelledFolder folder, ClassMap classes, double? confidence, string model, int lanes,
        Action finished, Action<string> failed, CancellationToken cancel)
    {
        var evaluation = new Evaluation(classes.Labels.Count);
        var confusion = new Confusion(classes.Labels.Count);
        var start = Stopwatch.GetTimestamp();
        int index = 0, failures = 0;
        double all = 0, inModel = 0;
        await foreach (var line in run.RunAsync(lanes, finished, cancel))
        {
            var picture = folder.Pictures[index++];
            if (line.Error is { } error)
            {
                failures++;
                failed($"{line.File}: {error.Detail}");
                continue;
            }
            List<Truth> objects = [.. picture.Objects.Select(one => folder.InPixels ? TruthOf(one, 1, 1) : TruthOf(one, line.Width ?? 0, line.Height ?? 0))];
            List<Guess> guesses = [.. (line.Detections ?? []).Select(found => new Guess(classes.OfModel[found.ClassId], found.Confidence, found.Box)).Where(guess => guess.ClassId >= 0)];
            evaluation.Add(objects, guesses);
            confusion.Add(objects, guesses);
            var timings = line.Timings ?? new JobTimings();
            all += timings.FetchMs + timings.DecodeMs + timings.InferMs + timings.PostMs;
            inModel += timings.InferMs;
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var score = evaluation.Finish(confidence);
        var report = new EvaluationReport(
            model, index - failures, failures, score.Objects, Round(score.Map50), Round(score.Map), score.Confidence, Round(score.Precision), Round(score.Recall),
            Math.Round(seconds, 2), Math.Round((index - failures) / Math.Max(seconds, 1e-3), 2), lanes, Math.Round(all > 0 ? inModel / all : 0, 3),
            [.. score.Classes.Select((one, i) => new EvaluatedClass(
                classes.Labels[i], new(one.Objects, Round(one.Ap50), Round(one.Ap), Round(one.Precision), Round(one.Recall)) { BestConfidence = Round(one.BestConfidence) }))]);
        return new(report, evaluation, confusion);
    }

    private static Truth TruthOf(LabelledObject one, int width, int height) => new(
        one.ClassId,
        new Box((one.X - (one.Width / 2)) * width, (one.Y - (one.Height / 2)) * height, (one.X + (one.Width / 2)) * width, (one.Y + (one.Height / 2)) * height),
        one.Crowd);

    private static double? Round(double? share) => share is { } number ? Math.Round(number, 4) : null;
}
