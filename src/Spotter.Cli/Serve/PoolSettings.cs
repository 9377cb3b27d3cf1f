using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Cli.Serve;

/// <summary>A pool of worker processes that is scaled by the backlog of its own models.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Models">The ids of its models; empty for all that no other pool names.</param>
/// <param name="Scaling">Its limits and its policy.</param>
internal sealed record PoolSettings(string Name, IReadOnlyList<string> Models, ScaleSettings Scaling)
{
    /// <summary>The name of the one pool that there is unless told otherwise.</summary>
    public const string Default = "default";

    /// <summary>The pool whose workers load a model; null when none does.</summary>
    public static PoolSettings? OfModel(IReadOnlyList<PoolSettings> pools, string model) =>
        pools.FirstOrDefault(p => p.Models.Contains(model, StringComparer.Ordinal)) ?? pools.FirstOrDefault(p => p.Models.Count == 0);

    /// <summary>The pool that is scaled by a queue; null when none is. Jobs without a model are those of the pool for all else, or the first.</summary>
    public static PoolSettings? OfQueue(IReadOnlyList<PoolSettings> pools, string queue) => QueueNames.ModelOf(queue) is { } model
        ? OfModel(pools, model)
        : pools.FirstOrDefault(p => p.Models.Count == 0) ?? (pools.Count > 0 ? pools[0] : null);
}
