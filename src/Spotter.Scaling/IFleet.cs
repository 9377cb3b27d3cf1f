using Spotter.Jobs;

namespace Spotter.Scaling;

/// <summary>
/// The workers of a pool, as whoever scales them and whoever shows them see them. <see cref="List"/>, <see cref="Health"/> and
/// <see cref="RetireAllAsync"/> are for anybody; everything else that does something is for one caller at a time.
/// </summary>
public interface IFleet
{
    /// <summary>How workers have ended of late without being told to.</summary>
    FleetHealth Health { get; }

    /// <summary>True when its workers are no one gateway's: they stay when the service ends.</summary>
    bool IsShared { get; }

    /// <summary>The names of the workers that were started here.</summary>
    IReadOnlyList<string> Launched { get; }

    /// <summary>True for a worker that was started here and has not ended.</summary>
    bool Has(string worker);

    /// <summary>True for a worker that another gateway scales: that one has to see it, so it has to join there.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="models">The ids of its models, from one that is about to join; null for those that it has told.</param>
    bool IsElsewhere(string worker, IReadOnlyList<string>? models = null);

    /// <summary>The workers, draining ones included, as they were last seen. Asks nobody, changes nothing.</summary>
    IReadOnlyList<WorkerView> List();

    /// <summary>Looks at the workers and does what is due. To be called every tick. The workers as they are then.</summary>
    /// <param name="cancel">Ends the look.</param>
    /// <param name="now">Who scales these workers.</param>
    Task<IReadOnlyList<WorkerView>> TendAsync(CancellationToken cancel, ControllerRole now = ControllerRole.Active);

    /// <summary>Has more workers started. How many: fewer than <paramref name="count"/> when no more can be started now.</summary>
    Task<int> LaunchAsync(int count, CancellationToken cancel);

    /// <summary>Lets a worker go. Never interrupts a job. One that is already told to changes nothing.</summary>
    Task DrainAsync(string worker, CancellationToken cancel);

    /// <summary>Keeps a worker that was to go after all; false when it is too late.</summary>
    bool CancelDrain(string worker);

    /// <summary>Lets all that have been started so far finish what they have and end, for good, unless they are shared.</summary>
    Task RetireAllAsync(CancellationToken cancel);

    /// <summary>Lets all that were started here finish what they run, and ends those still there after <paramref name="patience"/>, unless they are shared.</summary>
    Task DrainAllAsync(TimeSpan patience);
}
