using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>The gateways of one process: no other has the folder open.</summary>
internal sealed class LocalModelRegistry(TimeProvider clock) : IModelRegistry
{
    private readonly Lock gate = new();

    // Whoever spoke last comes last.
    private readonly OrderedDictionary<string, (IReadOnlyList<ModelInfo> Models, DateTimeOffset Until)> gateways = new(StringComparer.Ordinal);

    public Task<IReadOnlyList<ModelInfo>> ShareAsync(string gateway, IReadOnlyList<ModelInfo> models, TimeSpan duration, CancellationToken cancel)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            gateways.Remove(gateway);
            gateways.Add(gateway, (models, now + duration));
            var others = gateways.Where(g => g.Key != gateway && g.Value.Until > now).Reverse().SelectMany(g => g.Value.Models);
            return Task.FromResult<IReadOnlyList<ModelInfo>>([.. others.DistinctBy(m => m.Id, StringComparer.Ordinal)]);
        }
    }

    public Task WithdrawAsync(string gateway, CancellationToken cancel)
    {
        lock (gate)
            gateways.Remove(gateway);
        return Task.CompletedTask;
    }
}
