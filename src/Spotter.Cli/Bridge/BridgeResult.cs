using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Cli.Bridge;

/// <summary>From what a worker of an earlier service says to a result of Spotter's. Such a worker says nothing of how sure it is: all is 1.</summary>
internal static class BridgeResult
{
    private const double Sure = 1;
    private const int LongestWhy = 300;

    /// <summary>The result.</summary>
    /// <param name="answer">What it says.</param>
    /// <param name="width">Width of the upright picture.</param>
    /// <param name="height">Height of the upright picture.</param>
    /// <param name="known">The labels of the model; others come after the last.</param>
    /// <param name="wanted">Only these labels; null for all.</param>
    /// <exception cref="SpotterException">It could not do it, or says what can't be.</exception>
    public static VisionResult Of(OldAnswer answer, int width, int height, IReadOnlyList<string> known, IReadOnlyList<string>? wanted)
    {
        var empty = new VisionResult { Width = width, Height = height };
        switch (answer)
        {
            case OldAnswer.Classified(var name):
                return empty with { Labels = [new Label(name, IdOf(name, known), Sure)] };
            case OldAnswer.Found(var labels):
                var found = labels.Where(l => wanted?.Contains(l.Class, StringComparer.Ordinal) != false)
                    .Select(l => new Detection(l.Class, IdOf(l.Class, known), Sure, BoxOf(l, width, height))).ToList();
                return empty with { Detections = found, Summary = VisionResult.Summarize(found) };
            case OldAnswer.Failed(var why):
                var words = PlainText.OneLine(why);
                throw new SpotterException(ErrorCodes.Internal, $"The worker of the earlier service failed: {(words.Length > LongestWhy ? words[..LongestWhy] : words)}");
            default:
                throw new InvalidOperationException($"There is no answer {answer}.");
        }
    }

    private static int IdOf(string label, IReadOnlyList<string> known) => known.ToList().IndexOf(label) is var index and >= 0 ? index : known.Count;

    private static Box BoxOf(LegacyLabel label, int width, int height)
    {
        if (!double.IsFinite(label.Cx + label.Cy + label.Width + label.Height) || label.Width < 0 || label.Height < 0)
            throw new SpotterException(ErrorCodes.ModelOutputInvalid, "The worker of the earlier service gave a box that can't be.");
        return new Box(
            Edge(label.Cx - (label.Width / 2), width), Edge(label.Cy - (label.Height / 2), height), Edge(label.Cx + (label.Width / 2), width), Edge(label.Cy + (label.Height / 2), height));
    }

    private static double Edge(double part, int pixels) => Math.Round(Math.Clamp(part, 0, 1) * pixels, 2);
}
