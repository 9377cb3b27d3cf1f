using Spotter.Core.Settings;
using Spotter.Fleets;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Cli.Settings;

/// <summary>A pool of workers that is scaled by the backlog of its own models.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Models">The ids of its models; empty for all that no other pool names.</param>
/// <param name="Scaling">Its limits and its policy.</param>
/// <param name="Launcher">How its workers are started.</param>
/// <param name="Settings">What else it was told, for the launcher.</param>
internal sealed record PoolSettings(string Name, IReadOnlyList<string> Models, ScaleSettings Scaling, ILauncherModule Launcher, SettingReader Settings)
{
    /// <summary>True when somebody else starts its workers, who asks how many there are to be.</summary>
    public bool IsObserved => Launcher.IsObserved;

    /// <summary>The workers of all pools together.</summary>
    public static ScaleSettings Sum(IReadOnlyList<PoolSettings> pools) => pools switch
    {
        [] => new ScaleSettings { Max = 0 },
        [var only] => only.Scaling,
        _ => pools[0].Scaling with
        {
            Min = pools.Sum(p => p.Scaling.Min),
            Max = pools.Sum(p => p.Scaling.Max),
            Lanes = pools.Max(p => p.Scaling.Lanes),
            DailyWorkerHours = pools.Aggregate((double?)0, (sum, p) => sum + p.Scaling.DailyWorkerHours),
        },
    };

    /// <summary>The pool whose workers load a model; null when none does.</summary>
    public static PoolSettings? OfModel(IReadOnlyList<PoolSettings> pools, string model) =>
        pools.FirstOrDefault(p => p.Models.Contains(model, StringComparer.Ordinal)) ?? pools.FirstOrDefault(p => p.Models.Count == 0);

    /// <summary>The pool that is scaled by a queue; null when none is. Jobs without a model are those of the pool for all else, or the first; those for two are of the first one's.</summary>
    public static PoolSettings? OfQueue(IReadOnlyList<PoolSettings> pools, string queue) => QueueNames.ModelOf(queue) is { } model
        ? OfModel(pools, model)
        : pools.FirstOrDefault(p => p.Models.Count == 0) ?? (pools.Count > 0 ? pools[0] : null);
}
