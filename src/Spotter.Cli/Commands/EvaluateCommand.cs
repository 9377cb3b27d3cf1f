using System.CommandLine;
using Spotter.Cli.Detect;
using Spotter.Cli.Evaluate;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Cli.Commands;

/// <summary><c>models evaluate</c>: how good a model is on labelled pictures.</summary>
internal static class EvaluateCommand
{
    private const int MostFaults = 20;

    private static readonly Argument<string> Model = new("MODEL") { Description = "A model file, or the name of one that `spotter models list` shows." };

    private static readonly Option<string> Dataset = new("--dataset")
    {
        HelpName = "DIR",
        Required = true,
        Description = "The labelled pictures: images/, labels/ with a .txt per picture (class x y width height, as shares), and names.txt; or images/ and COCO's annotations.json.",
    };

    private static readonly Option<string?> Data = DataOption.For("in whose folder `models` the model is looked for");

    private static readonly DefaultOption<double> Confidence = NumberOption.Fraction("--confidence", 0.001, "Leave out what is less certain than this, 0 to 1.");

    private static readonly DefaultOption<double> Iou = NumberOption.Fraction("--iou", 0.65, "Of two boxes of one label that overlap more than this, keep one, 0 to 1.");

    private static readonly Option<double?> At = NumberOption.Fraction("--at", "Give precision and recall at this confidence. Default: where they are best together.");

    private static readonly Option<int?> Tile = NumberOption.Whole("--tile", 64, 16_384, "Look at pictures in overlapping squares with this edge. Default: at all of it.");

    private static readonly Option<int?> Max = NumberOption.Whole("--max", 1, int.MaxValue, "No more pictures than this. Default: all.");

    private static readonly DefaultOption<int> Lanes = NumberOption.Whole("--lanes", Environment.ProcessorCount, 1, 1024, "Pictures at once.", "the number of cores");

    private static readonly Option<string?> Report = new("--report") { HelpName = "FILE", Description = "Write figures, curves and what is taken for what into this HTML file too." };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the figures as one JSON object." };

    public static Command Create()
    {
        var command = new Command("evaluate", "Measure how good a model is on labelled pictures, as the COCO data set does.")
        {
            Model, Dataset, Data, Confidence, Iou, At, Tile, Max, Lanes, Report, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var folder = LabelledFolder.Read(parsed.GetRequiredValue(Dataset), parsed.GetValue(Max));
        if (folder.Faults.Count > 0)
        {
            foreach (var fault in folder.Faults.Take(MostFaults))
                StandardError.Complain(fault);
            if (folder.Faults.Count > MostFaults)
                StandardError.Complain($"{folder.Faults.Count - MostFaults} more faults of that kind; correct the labels, then run again.");
            return ExitStatus.Failed;
        }

        var lanes = Math.Min(Lanes.Of(parsed), folder.Pictures.Count);
        var limits = new ImageLimits();
        using var interrupt = new Interrupt();
        using var model = VisionModel.Load(
            GatewaySection.ModelFile(parsed.GetRequiredValue(Model), parsed.GetValue(Data)),
            new() { Threads = Math.Max(1, Environment.ProcessorCount / lanes), Limits = limits });
        if (!VisionTasks.HasBoxes(model.Model.Engine))
            throw new SpotterException(ErrorCodes.ModelUnsupported, $"{model.Model.Id} finds no objects, as its task is '{model.Model.Engine}'; only boxes are measured.");
        var highest = folder.Pictures.SelectMany(picture => picture.Objects).Select(one => one.ClassId).DefaultIfEmpty(-1).Max();
        var classes = ClassMap.Create(folder.Names, highest, model.Model);
        if (classes.Unknown.Count > 0)
            StandardError.Complain($"{model.Model.Id} does not know {string.Join(", ", classes.Unknown)}; objects of these classes count as not found.");

        var options = new VisionParameters { Confidence = Confidence.Of(parsed), Iou = Iou.Of(parsed), Tile = parsed.GetValue(Tile) };
        var run = new DetectRun(model, options, limits, [.. folder.Pictures.Select(picture => picture.File)], outputs: null);
        var json = parsed.GetValue(Json);
        EvaluationFindings? found = null;
        List<string> failures = [];
        await DetectProgress.ShowAsync("detecting", folder.Pictures.Count, visible: !json || Console.IsOutputRedirected, async finished =>
            found = await EvaluationRun.MeasureAsync(
                run, folder, classes, parsed.GetValue(At), model.Model.Id, lanes, finished, failures.Add, interrupt.Token));
        var report = found!.Report;
        if (json)
            JsonLines.Write(report);
        else
            await Console.Out.WriteAsync(report.Render());
        if (parsed.GetValue(Report) is { } page)
            Save(page, EvaluationPage.Render(report, found.Evaluation, found.Confusion));
        failures.ForEach(StandardError.Complain);
        return failures.Count == 0 ? ExitStatus.Done : ExitStatus.Failed;
    }

    private static void Save(string file, string page)
    {
        try
        {
            File.WriteAllText(file, page);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The report can't be written to {file} ({unwritable.Message.TrimEnd('.')}); name another file with --report.", unwritable);
        }
    }
}
