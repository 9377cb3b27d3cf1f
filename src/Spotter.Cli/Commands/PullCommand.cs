using System.CommandLine;
using Spotter.Cli.Catalogue;
using Spotter.Cli.Settings;
using Spotter.Core;

namespace Spotter.Cli.Commands;

/// <summary><c>models pull</c>: gets a model of the catalogue.</summary>
internal static class PullCommand
{
    private static readonly Argument<string?> Name = new("NAME")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "The model. Without it, shows which there are.",
    };

    private static readonly Option<string?> AcceptLicence = new("--accept-licence")
    {
        HelpName = "ID",
        Description = "Accept this licence, as AGPL-3.0, where one has to be accepted. On a terminal it is asked for otherwise.",
    };

    private static readonly Option<bool> Force = new("--force") { Description = "Replace another file of that name." };

    private static readonly Option<string?> Data = DataOption.For("into whose folder `models` it goes");

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per model." };

    public static Command Create()
    {
        var command = new Command("pull", "Download a model of the catalogue, or show the catalogue. SPOTTER_CATALOGUE names another one: a file or a URL.")
        {
            Name, AcceptLicence, Force, Data, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        using var transfer = new Transfer(new(), TimeProvider.System, RandomSource.System, Note);
        var json = parsed.GetValue(Json);
        if (parsed.GetValue(Name) is not { } name)
        {
            Show(await LoadAsync(transfer), Path.Combine(GatewaySection.DataFolderOf(parsed.GetValue(Data)), "models"), json);
            return ExitStatus.Done;
        }
        try
        {
            var report = await PullAsync(name, parsed, transfer);
            if (json)
                JsonLines.Write(report);
            else
                Console.Out.WriteLine(Describe(report));
            return ExitStatus.Done;
        }
        catch (SpotterException e) when (json)
        {
            JsonLines.Write(new PullReport(name, null, null, null, 0, null, null, new(e.Code, e.Message)));
            StandardError.Complain(e.Message);
            return ExitStatus.Failed;
        }
    }

    private static async Task<PullReport> PullAsync(string name, ParseResult parsed, Transfer transfer)
    {
        var entry = (await LoadAsync(transfer)).Find(name);
        var data = GatewaySection.DataFolderOf(parsed.GetValue(Data));
        var force = parsed.GetValue(Force);
        var download = new PinnedDownload(transfer, entry, Path.Combine(data, "models"));
        var state = PullState.Present;
        if (!await download.IsThereAsync(force, CancellationToken.None))
        {
            await Console.Error.WriteLineAsync(TerminalPull.Terms(entry));
            if (!IsAccepted(entry, parsed.GetValue(AcceptLicence)))
            {
                throw new SpotterException(
                    ErrorCodes.LicenceNotAccepted,
                    $"{name} is under {entry.Licence.Id}, which has to be accepted: read it, then run again with --accept-licence {entry.Licence.Id}.");
            }
            // A bar between lines of JSON would garble both on a terminal.
            state = await TerminalPull.RunAsync(download, entry, force, showBar: !parsed.GetValue(Json) || Console.IsOutputRedirected);
        }
        var first = SpotterPaths.ModelFiles(data).FirstOrDefault(file => Path.GetFileNameWithoutExtension(file) == name);
        if (first is not null && first != download.Target)
            Note($"the name {name} still means {first}, which is found before {download.Target}");
        return new(name, download.Target, state, entry.Bytes, download.ResumedAt, entry.Sha256, entry.Licence, Error: null);
    }

    private static Task<ModelCatalogue> LoadAsync(Transfer transfer) =>
        ModelCatalogue.LoadAsync(Environment.GetEnvironmentVariable(ModelCatalogue.Variable), transfer, CancellationToken.None);

    private static void Show(ModelCatalogue catalogue, string folder, bool json)
    {
        var table = new TextTable("name", "task", "size", "here", "licence", "what");
        foreach (var entry in catalogue.Entries)
        {
            if (json)
            {
                JsonLines.Write(entry);
            }
            else
            {
                table.Add(
                    entry.Name, entry.Task, TerminalPull.Size(entry.Bytes), File.Exists(Path.Combine(folder, entry.Name + ".onnx")) ? "yes" : "",
                    entry.Licence.Permissive ? entry.Licence.Id : $"{entry.Licence.Id} (to be accepted)", entry.What);
            }
        }
        if (!json)
            Console.Out.Write(table);
    }

    private static string Describe(PullReport report) => report.State == PullState.Present
        ? $"{report.File} is there already, and its hash is right."
        : $"{report.File}: {TerminalPull.Size(report.Bytes ?? 0)}, its hash is right. A running service takes it up by itself.";

    private static bool IsAccepted(CatalogueEntry entry, string? accepted) =>
        entry.Licence.IsAcceptedBy(accepted)
        || (accepted is null && TerminalPull.CanAsk && TerminalPull.Ask($"Do you accept {PlainText.OneLine(entry.Licence.Id)}?", byDefault: false));

    private static void Note(string sentence) => StandardError.Complain(sentence);
}
