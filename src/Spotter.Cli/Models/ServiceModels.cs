using System.CommandLine;
using System.Globalization;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Models;

namespace Spotter.Cli.Models;

/// <summary>Asks a running service for its models.</summary>
internal static class ServiceModels
{
    /// <summary>The models of the service that the options name; null when there is none.</summary>
    /// <exception cref="SpotterException">The service that was named does not answer, or refuses.</exception>
    public static async Task<IReadOnlyList<ModelView>?> FindAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (RemoteOptions.Find(parsed) is not { } target)
            return null;
        using var client = RemoteOptions.Client(parsed, target);
        try
        {
            return (await client.GetAsync("/v1/models", ModelsJson.Default.ModelsView, cancel)).Models;
        }
        catch (SpotterException gone) when (target.IsNoted && gone.Code == ErrorCodes.StoreUnavailable)
        {
            // Left behind by a service that was killed: then the files are what there is to show.
            return null;
        }
    }

    /// <summary>The models for people's eyes.</summary>
    public static TextTable Table(IReadOnlyList<ModelView> models)
    {
        var table = new TextTable("name", "engine", "family", "labels", "version", "state", "loaded by");
        foreach (var model in models)
        {
            table.Add(
                model.Id + (model.Default ? " (default)" : ""), model.Engine ?? "", model.Family ?? "",
                model.Labels.Count.ToString(CultureInfo.InvariantCulture), model.Version ?? "",
                Lower(model.State) + (model.Error is { } error ? $", {error.Code}" : ""),
                string.Join(", ", model.LoadedBy.Select(place => Describe(place, model))));
        }
        return table;
    }

    private static string Describe(ModelPlace place, ModelView model) => place switch
    {
        { Version: null } => $"{place.Worker} (failed: {place.Error?.Code})",
        { Error: not null } => $"{place.Worker} ({place.Version}; newer failed: {place.Error.Code})",
        _ when place.Version != model.Version => $"{place.Worker} (still {place.Version})",
        _ => place.Worker,
    };

    private static string Lower(ModelState state) => state switch
    {
        ModelState.Ready => "ready",
        ModelState.Loading => "loading",
        _ => "refused",
    };
}
