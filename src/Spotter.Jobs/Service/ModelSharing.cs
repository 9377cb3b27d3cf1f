using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Tells the other gateways on a store which models are served here, and the catalogue which they serve.</summary>
/// <param name="registry">Where each says it.</param>
/// <param name="gateway">The name of this one.</param>
/// <param name="catalogue">The models known here.</param>
/// <param name="roster">The workers that have joined here.</param>
/// <param name="time">The clock.</param>
public sealed class ModelSharing(IModelRegistry registry, string gateway, ModelCatalogue catalogue, WorkerRoster roster, TimeProvider time)
{
    // A gateway that is ended by force is believed for so long, and after what it said last may have failed twice.
    private TimeSpan Holds => TimeSpan.FromSeconds(15) + (2 * registry.Pace);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Tells and hears once.</summary>
    /// <exception cref="SpotterException">The registry does not answer; what was heard last holds.</exception>
    public async Task ShareAsync(CancellationToken cancel) =>
        catalogue.Hear(await registry.ShareAsync(gateway, Served(), Holds, cancel));

    /// <summary>Tells and hears every few seconds until cancelled, and then takes back what was said.</summary>
    public async Task RunAsync(Action<Exception> onError, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await ShareAsync(cancel);
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                if (!cancel.IsCancellationRequested)
                    onError(failed);
            }
            await Task.Delay(registry.Pace, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await registry.WithdrawAsync(gateway, patience.Token);
        }
        catch (Exception failed) when (failed is SpotterException or OperationCanceledException)
        {
            // It ends by itself.
        }
    }

    private List<ModelInfo> Served()
    {
        var had = roster.Models.Where(m => m.Model.Version is not null).Select(m => m.Model.Id).ToHashSet(StringComparer.Ordinal);
        return [.. catalogue.Started.Concat(catalogue.Models.Concat(catalogue.Engines).Where(m => had.Contains(m.Id))).DistinctBy(m => m.Id, StringComparer.Ordinal)];
    }
}
