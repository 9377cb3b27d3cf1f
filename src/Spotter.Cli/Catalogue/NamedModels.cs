using Spotter.Core;

namespace Spotter.Cli.Catalogue;

/// <summary>Models that a service is to serve and that are not here yet, but in the catalogue: who starts it at a terminal is asked whether to download them.</summary>
internal static class NamedModels
{
    /// <summary>Sees to it that models are here, as far as the catalogue has them; names that it doesn't know are left for others to complain about.</summary>
    /// <param name="names">What <c>--model</c> named.</param>
    /// <param name="data">The data folder.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelNotFound"/>: there is nobody to ask, or the answer is no; or as <see cref="PinnedDownload.RunAsync"/> says.</exception>
    public static async Task FetchAsync(IReadOnlyList<string> names, string data)
    {
        var missing = names.Where(name => !SpotterPaths.HasModel(name, data)).Distinct(StringComparer.Ordinal).ToList();
        if (missing.Count == 0)
            return;
        using var transfer = new Transfer(new(), TimeProvider.System, RandomSource.System, StandardError.Complain);
        var catalogue = await ModelCatalogue.LoadAsync(Environment.GetEnvironmentVariable(ModelCatalogue.Variable), transfer, CancellationToken.None);
        foreach (var entry in missing.Select(name => catalogue.Entries.FirstOrDefault(e => e.Name == name)).OfType<CatalogueEntry>())
        {
            if (!TerminalPull.CanAsk)
                throw NotHere(entry, $"`spotter models pull {entry.Name}` downloads it ({TerminalPull.Size(entry.Bytes)}, {PlainText.OneLine(entry.Licence.Id)})");
            await Console.Error.WriteLineAsync(TerminalPull.Terms(entry));
            var question = entry.Licence.Permissive
                ? $"It is not here yet. Download it ({TerminalPull.Size(entry.Bytes)})?"
                : $"It is not here yet. Accept {PlainText.OneLine(entry.Licence.Id)} and download it ({TerminalPull.Size(entry.Bytes)})?";
            if (!TerminalPull.Ask(question, byDefault: entry.Licence.Permissive))
                throw NotHere(entry, "start without --model for the models that are");
            await TerminalPull.RunAsync(new(transfer, entry, Path.Combine(data, "models")), entry, force: false, showBar: true);
        }
    }

    private static SpotterException NotHere(CatalogueEntry entry, string advice) => new(ErrorCodes.ModelNotFound, $"The model {entry.Name} is not here; {advice}.");
}
