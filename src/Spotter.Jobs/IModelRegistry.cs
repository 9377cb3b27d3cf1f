using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>
/// Which gateways that share a store have which models, so that each lets in what any of them can run. A gateway says it again
/// and again; what it said holds for a while.
/// </summary>
public interface IModelRegistry
{
    /// <summary>How often gateways should speak: what they learn is as old as that.</summary>
    TimeSpan Pace => TimeSpan.FromSeconds(3);

    /// <summary>
    /// Says which models the workers of a gateway have, or will have once they are started, from now on for
    /// <paramref name="duration"/>; takes the place of what it said before. What all others say now: each model once, as whoever
    /// spoke last says it is.
    /// </summary>
    /// <exception cref="SpotterException">Nobody knows.</exception>
    Task<IReadOnlyList<ModelInfo>> ShareAsync(string gateway, IReadOnlyList<ModelInfo> models, TimeSpan duration, CancellationToken cancel);

    /// <summary>A gateway ends: what it said holds no longer.</summary>
    /// <exception cref="SpotterException">It ends by itself.</exception>
    Task WithdrawAsync(string gateway, CancellationToken cancel);
}
