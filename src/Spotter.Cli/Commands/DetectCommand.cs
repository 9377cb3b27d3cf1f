using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using Spotter.Cli.Detect;
using Spotter.Cli.Models;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines.Detect;
using Spotter.Vision;
using Spotter.Vision.Export;
using Spotter.Vision.Inference;

namespace Spotter.Cli.Commands;

/// <summary><c>detect</c>: a model on files, without a server.</summary>
internal static class DetectCommand
{
    private static readonly Argument<string[]> Files = new("FILE")
    {
        Arity = ArgumentArity.OneOrMore,
        Description = "Pictures, or folders of pictures (subfolders included).",
    };

    private static readonly Option<string?> Model = new("--model")
    {
        HelpName = "NAME|FILE",
        Description = "The model: a file, or a name that `spotter models list` shows. Default: the first usable one of that list.",
    };

    private static readonly Option<string?> Data = DataOption.For("in whose folder `models` the model is looked for");

    // Pictures are drawn when there is a folder to write them to.
    private static readonly OptionFlags Asked = new(VisionOptions.Declared.Where(o => o.Name != VisionOptions.Annotate));

    private static readonly Option<string?> Out = new("--out")
    {
        HelpName = "DIR",
        Description = "Write the pictures there with their boxes drawn; with a model that classifies, reads or embeds, a line of text for each; with one that makes a map, that too.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per picture." };

    private static readonly Option<string?> Format = ChoiceOption.Of(
        "--format", [.. Enum.GetValues<ResultFormat>().Select(EnumNames.Of)], "Print what was found in the format of another tool instead. yolo writes a file for each picture into --out DIR.");

    private static readonly DefaultOption<int> Lanes = NumberOption.Whole("--lanes", Environment.ProcessorCount, 1, 1024, "Pictures at once.", "the number of cores");

    public static Command Create()
    {
        var command = new Command("detect", "Run a model on files, without a server.")
        {
            Files, Model, Data, Out, Json, Format, Lanes,
        };
        Asked.AddTo(command);
        Files.Validators.Add(RefuseUnknownOptions);
        command.AddCheck(KeepOriginals);
        command.AddCheck(KnowWhereToWrite);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var limits = new ImageLimits();
        var folder = parsed.GetValue(Out);
        var pictures = PictureList.Of(parsed.GetRequiredValue(Files), folder);
        var lanes = Math.Min(Lanes.Of(parsed), pictures.Count);
        var options = VisionOptions.Declared.Read(Asked.Read(parsed)) with { Annotate = folder is not null };

        if (options.Crops && folder is null)
            throw new SpotterException(ErrorCodes.InvalidRequest, "--crops needs a folder for the pictures; name one with --out DIR.");

        using var interrupt = new Interrupt();
        using var model = VisionModel.Load(
            ChooseModel(parsed.GetValue(Model), parsed.GetValue(Data)),
            new() { Threads = Math.Max(1, Environment.ProcessorCount / lanes), Limits = limits });
        using var then = options.Then is { } second
            ? VisionModel.Load(GatewaySection.ModelFile(second, parsed.GetValue(Data)), new() { Threads = Math.Max(1, Environment.ProcessorCount / lanes), Limits = limits })
            : null;
        options = KnownLabels.In(options, model.Model, $"`spotter models inspect {model.Model.Id}`", then?.Model);
        if (folder is not null)
            Directory.CreateDirectory(folder);

        var json = parsed.GetValue(Json);
        ResultFormat? format = EnumNames.TryParse<ResultFormat>(parsed.GetValue(Format), out var chosen) ? chosen : null;
        var exported = new List<ExportedPicture>();
        var inWords = model.Model.Engine is VisionTasks.Classify or VisionTasks.Read or VisionTasks.Embed;
        var outputs = folder is null ? null : OutputNames.In(folder, pictures, inWords ? ".csv" : ".jpg");
        var run = new DetectRun(model, options with { Annotate = options.Annotate && !inWords }, limits, pictures, outputs, then);
        var report = new DetectReport(model.Model.Id, lanes);
        var errors = new List<string>();
        var start = Stopwatch.GetTimestamp();
        // A bar between lines for programs would garble both on a terminal.
        await DetectProgress.ShowAsync("detecting", pictures.Count, visible: (!json && format is null) || Console.IsOutputRedirected, async finished =>
        {
            await foreach (var line in run.RunAsync(lanes, finished, interrupt.Token))
            {
                report.Add(line);
                if (line.Error is { } error)
                    errors.Add($"{line.File}: {error.Detail}");
                if (json)
                    JsonLines.Write(line);
                if (format is not null && line.Result is { } result)
                    exported.Add(new(Path.GetFileName(line.File), line.File, result));
            }
        });
        if (format is { } form)
            DetectExport.Write(form, new(exported, model.Model.Id, model.Model.Labels), folder);
        else if (!json)
            await Console.Out.WriteAsync(report.Render(Stopwatch.GetElapsedTime(start)));
        errors.ForEach(StandardError.Complain);
        return report.Failures == 0 ? ExitStatus.Done : ExitStatus.Failed;
    }

    private static string ChooseModel(string? option, string? data) => option is not null
        ? GatewaySection.ModelFile(option, data)
        : ModelListing.FirstUsable(SpotterPaths.ModelFiles(GatewaySection.ModelsFolderOf(data)));

    // What no option matches would be taken for a file.
    private static void RefuseUnknownOptions(ArgumentResult result)
    {
        var unknown = result.Tokens.FirstOrDefault(token =>
            token.Value.StartsWith('-') && !File.Exists(token.Value) && !Directory.Exists(token.Value));
        if (unknown is not null)
            result.AddError($"There is no option {unknown.Value}.");
    }

    private static void KnowWhereToWrite(CommandResult result)
    {
        if (result.GetValue(Format) is not { } format)
            return;
        if (result.GetValue(Json))
            result.AddError("--json and --format both say how to print: name one of them.");
        if (format == EnumNames.Of(ResultFormat.Yolo) && result.GetValue(Out) is null)
            result.AddError("--format yolo writes a file for each picture: name a folder for them with --out DIR.");
    }

    private static void KeepOriginals(CommandResult result)
    {
        if (result.GetValue(Out) is not { Length: > 0 } folder || result.GetValue(Files) is not { } files)
            return;
        var output = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        foreach (var file in files)
        {
            var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(file));
            var holder = Directory.Exists(path) ? path : Path.GetDirectoryName(path);
            if (string.Equals(holder, output, StringComparison.Ordinal))
            {
                result.AddError($"--out {folder} is the folder of {file}, whose pictures would be overwritten: name another folder.");
                return;
            }
        }
    }
}
