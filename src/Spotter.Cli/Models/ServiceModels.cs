using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Models;

namespace Spotter.Cli.Models;

/// <summary>Asks a running service for its models.</summary>
internal static class ServiceModels
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The models of the service at <paramref name="url"/>; without one, of that which runs on the data folder; null when there is none.</summary>
    /// <exception cref="SpotterException">The service that was named does not answer, or asks for another key than <paramref name="key"/>.</exception>
    public static async Task<IReadOnlyList<ModelView>?> FindAsync(Uri? url, string? key, string data, CancellationToken cancel)
    {
        if (url is not null)
            return await AskAsync(url, key, cancel);
        if (ServiceAddress.Read(data) is not { } running)
            return null;
        try
        {
            return await AskAsync(running, key, cancel);
        }
        catch (SpotterException gone) when (gone.Code != ErrorCodes.Unauthorized)
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

    private static async Task<IReadOnlyList<ModelView>> AskAsync(Uri url, string? key, CancellationToken cancel)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        try
        {
            return (await client.GetFromJsonAsync(new Uri(url, "/v1/models"), ModelsJson.Default.ModelsView, cancel))!.Models;
        }
        catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new SpotterException(ErrorCodes.Unauthorized, $"{url} asks for an API key; give one with --key-file FILE or {RemoteOptions.KeyVariable}.", refused);
        }
        catch (Exception failed) when (failed is HttpRequestException or JsonException or NotSupportedException || (failed is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"{url} does not answer as a Spotter service does ({failed.Message.TrimEnd('.')}); check --url.", failed);
        }
    }
}
