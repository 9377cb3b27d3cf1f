using System.CommandLine;
using System.Globalization;
using Spotter.Cli.Models;
using Spotter.Cli.Remote;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Models;

namespace Spotter.Cli.Commands;

/// <summary><c>models</c>: which models there are, and what they are.</summary>
internal static class ModelsCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per model." };

    private static readonly Option<string?> Data = DataOption.For("in whose folder `models` it is looked for");

    private static readonly Argument<string> Model = new("FILE") { Description = "A model file, or the name of one that `spotter models list` shows." };

    public static Command Create() => new("models", "Show the models and what they are.") { CompareCommand.Create(), EvaluateCommand.Create(), CreateInspect(), CreateList(), PullCommand.Create() };

    private static Command CreateInspect()
    {
        var command = new Command("inspect", "Show what a model file is.") { Model, Data, Json };
        command.SetAction(parsed =>
        {
            var file = GatewaySection.ModelFile(parsed.GetRequiredValue(Model), parsed.GetValue(Data));
            Failpoint.At("model-inspecting");
            var listing = ModelListing.Of(file);
            if (parsed.GetValue(Json))
                JsonLines.Write(listing);
            else if (listing.Model is { } model)
                Console.Out.Write(Describe(listing, model));
            return Complain([listing]) ? ExitStatus.Failed : ExitStatus.Done;
        });
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "Show the models that can be chosen by name; of a running service, also what is loaded where.") { RemoteOptions.Url, RemoteOptions.KeyFile, RemoteOptions.Data, Json };
        command.SetAction(async (parsed, cancel) =>
        {
            var data = GatewaySection.ModelsFolderOf(parsed.GetValue(RemoteOptions.Data));
            if (await ServiceModels.FindAsync(parsed, cancel) is { } served)
            {
                if (parsed.GetValue(Json))
                    served.ToList().ForEach(JsonLines.Write);
                else
                    Console.Out.Write(ServiceModels.Table(served));
                return ExitStatus.Done;
            }
            var listings = SpotterPaths.ModelFiles(data).Select(ModelListing.Of).ToList();
            if (parsed.GetValue(Json))
            {
                listings.ForEach(JsonLines.Write);
                Complain(listings);
                return ExitStatus.Done;
            }
            if (listings.Count == 0)
            {
                Console.Out.WriteLine($"There is no model. Put .onnx files into one of {string.Join(", ", SpotterPaths.ModelFolders(data))}.");
                return ExitStatus.Done;
            }
            var table = new TextTable("name", "engine", "family", "input", "labels", "file");
            foreach (var listing in listings)
            {
                var name = Path.GetFileNameWithoutExtension(listing.File);
                if (listing.Model is { } model)
                    table.Add(model.Id, model.Engine, model.Family, Size(model.InputWidth, model.InputHeight), Text(model.Labels.Count), listing.File);
                else
                    table.Add(name, "unusable", listing.Error!.Code, "", "", listing.File);
            }
            Console.Out.Write(table);
            Complain(listings);
            return ExitStatus.Done;
        });
        return command;
    }

    /// <summary>Tells of what cannot be used; true if there was anything to tell.</summary>
    private static bool Complain(IReadOnlyList<ModelListing> listings)
    {
        var errors = listings.Select(listing => listing.Error).OfType<JobError>().ToList();
        errors.ForEach(error => StandardError.Complain(error.Detail));
        return errors.Count > 0;
    }

    private static string Describe(ModelListing listing, ModelInfo model)
    {
        var table = new TextTable("what", "is", "known");
        table.Add("name", model.Id, "");
        table.Add("file", listing.File, "");
        table.Add("bytes", listing.Bytes.ToString(CultureInfo.InvariantCulture), "");
        foreach (var fact in listing.Facts)
            table.Add(fact.Name, fact.Value, Words(fact.Source));
        var unsure = model.Unsure is { } why ? $"unsure: {PlainText.OneLine(why)}\n" : "";
        var labels = model.Labels is [] ? "" : $"labels: {PlainText.OneLine(string.Join(", ", model.Labels))}\n";
        return $"{table}{unsure}{labels}";
    }

    private static string Words(FactSource source) => source switch
    {
        FactSource.Stated => "stated in the file",
        FactSource.Inferred => "inferred",
        FactSource.Assumed => "assumed",
        _ => "overridden",
    };

    private static string Size(int width, int height) => $"{Text(width)} x {Text(height)}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
