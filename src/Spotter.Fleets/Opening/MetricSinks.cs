using Spotter.Fleets.Aws;

namespace Spotter.Fleets.Opening;

/// <summary>The places where scalers outside Spotter read metrics.</summary>
public static class MetricSinks
{
    /// <summary>All of them: the one place where they are registered.</summary>
    public static IReadOnlyList<IMetricSinkModule> BuiltIn { get; } = [new CloudWatchModule()];
}
