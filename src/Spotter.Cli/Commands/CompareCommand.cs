using System.CommandLine;
using Spotter.Cli.Detect;
using Spotter.Cli.Evaluate;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Cli.Commands;

/// <summary><c>models compare</c>: what two models find in the same pictures.</summary>
internal static class CompareCommand
{
    private static readonly VisionParameters Usual = new();

    private static readonly Argument<string> First = new("MODEL") { Description = "A model file, or the name of one that `spotter models list` shows." };

    private static readonly Argument<string> Second = new("OTHER") { Description = "The model to compare it with." };

    private static readonly Argument<string[]> Files = new("FILE") { Arity = ArgumentArity.OneOrMore, Description = "Pictures, or folders of pictures (subfolders included)." };

    private static readonly Option<string?> Data = DataOption.For("in whose folder `models` the models are looked for");

    private static readonly DefaultOption<double> Confidence = NumberOption.Fraction("--confidence", Usual.Confidence, "Leave out what is less certain than this, 0 to 1.");

    private static readonly DefaultOption<double> Iou = NumberOption.Fraction("--iou", Usual.Iou, "Of two boxes of one label that overlap more than this, keep one, 0 to 1.");

    private static readonly Option<int?> Tile = NumberOption.Whole("--tile", 64, 16_384, "Look at pictures in overlapping squares with this edge. Default: at all of it.");

    private static readonly DefaultOption<int> Lanes = NumberOption.Whole("--lanes", Environment.ProcessorCount, 1, 1024, "Pictures at once.", "the number of cores");

    private static readonly Option<bool> Json = new("--json") { Description = "Print the figures as one JSON object." };

    public static Command Create()
    {
        var command = new Command("compare", "Show where two models find the same in pictures, and where not.") { First, Second, Files, Data, Confidence, Iou, Tile, Lanes, Json };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var limits = new ImageLimits();
        var pictures = PictureList.Of(parsed.GetRequiredValue(Files), output: null);
        var lanes = Math.Min(Lanes.Of(parsed), pictures.Count);
        using var interrupt = new Interrupt();
        using var first = Load(parsed.GetRequiredValue(First), parsed, lanes, limits);
        using var second = Load(parsed.GetRequiredValue(Second), parsed, lanes, limits);
        var options = new VisionParameters { Confidence = Confidence.Of(parsed), Iou = Iou.Of(parsed), Tile = parsed.GetValue(Tile) };

        var json = parsed.GetValue(Json);
        List<DetectLine> firsts = [], seconds = [];
        await DetectProgress.ShowAsync("detecting", 2 * pictures.Count, visible: !json || Console.IsOutputRedirected, async finished =>
        {
            foreach (var (model, lines) in ((VisionModel, List<DetectLine>)[])[(first, firsts), (second, seconds)])
            {
                await foreach (var line in new DetectRun(model, options, limits, pictures, outputs: null).RunAsync(lanes, finished, interrupt.Token))
                    lines.Add(line);
            }
        });

        var comparison = new Comparison();
        var failures = 0;
        foreach (var (one, other) in firsts.Zip(seconds))
        {
            if ((one.Error ?? other.Error) is { } error)
            {
                failures++;
                StandardError.Complain($"{one.File}: {error.Detail}");
                continue;
            }
            comparison.Add(one.File, FoundIn(one), FoundIn(other));
        }
        // Two trainings of one model mostly have the same name, in different folders.
        var isNamed = first.Model.Id != second.Model.Id;
        var report = new ComparisonReport(
            Describe(isNamed ? first.Model.Id : parsed.GetRequiredValue(First), first.Model, second.Model, firsts),
            Describe(isNamed ? second.Model.Id : parsed.GetRequiredValue(Second), second.Model, first.Model, seconds), pictures.Count - failures, failures, comparison.All, comparison.Labels, comparison.Different);
        if (json)
            JsonLines.Write(report);
        else
            await Console.Out.WriteAsync(report.Render());
        return failures == 0 ? ExitStatus.Done : ExitStatus.Failed;
    }

    private static VisionModel Load(string name, ParseResult parsed, int lanes, ImageLimits limits)
    {
        var model = VisionModel.Load(GatewaySection.ModelFile(name, parsed.GetValue(Data)), new() { Threads = Math.Max(1, Environment.ProcessorCount / lanes), Limits = limits });
        if (VisionTasks.HasBoxes(model.Model.Engine))
            return model;
        model.Dispose();
        throw new SpotterException(ErrorCodes.ModelUnsupported, $"{model.Model.Id} finds no objects, as its task is '{model.Model.Engine}'; only boxes are compared.");
    }

    private static IReadOnlyList<Found> FoundIn(DetectLine line) => [.. (line.Detections ?? []).Select(d => new Found(d.Label, d.Box))];

    private static ComparedModel Describe(string name, ModelInfo model, ModelInfo other, List<DetectLine> lines)
    {
        var times = lines.Select(line => line.Timings?.InferMs).OfType<double>().Order().ToList();
        return new(name, times.Count == 0 ? null : Math.Round(times[times.Count / 2], 2), [.. model.Labels.Except(other.Labels, StringComparer.OrdinalIgnoreCase)]);
    }
}
