namespace Spotter.Scaling;

/// <summary>Plays a day that was recorded again, with other settings.</summary>
public interface IScaleReplay
{
    /// <summary>What would have become of a day.</summary>
    /// <param name="arrivals">When jobs came, in order; at least one.</param>
    /// <param name="preset">How waiting is weighed; null as it is set.</param>
    /// <param name="maxWorkers">Most workers; null as it is set.</param>
    /// <param name="cancel">Stops it.</param>
    Task<ReplayedDay> ReplayAsync(IReadOnlyList<ArrivalCount> arrivals, ScalePreset? preset, int? maxWorkers, CancellationToken cancel);

    /// <summary>What a replay goes by.</summary>
    ReplayTerms Terms { get; }
}

/// <summary>What a replay takes for given.</summary>
/// <param name="Policy">The policy's name.</param>
/// <param name="Preset">How waiting is weighed, as it is set.</param>
/// <param name="MaxWorkers">Most workers, as it is set.</param>
/// <param name="ServiceSeconds">What a job takes, as measured so far.</param>
/// <param name="BootSeconds">What a worker takes to join, as measured so far.</param>
/// <param name="SloSeconds">Answers later than this came too late.</param>
/// <param name="PricePerHour">What an hour of a worker costs, in whatever currency.</param>
public sealed record ReplayTerms(
    string Policy, ScalePreset Preset, int MaxWorkers, double ServiceSeconds, double BootSeconds, double SloSeconds, double PricePerHour);

/// <summary>How a day went, or would have gone. Times are in seconds.</summary>
/// <param name="Preset">How waiting was weighed.</param>
/// <param name="MaxWorkers">Most workers that there could be.</param>
/// <param name="Jobs">Jobs that came.</param>
/// <param name="WorkerHours">Hours of workers, from launch to end.</param>
/// <param name="Cost">What they cost.</param>
/// <param name="WaitP50">Half of all jobs waited no longer for their start.</param>
/// <param name="WaitP95">95 in 100 waited no longer.</param>
/// <param name="WaitP99">99 in 100 waited no longer.</param>
/// <param name="Late">Answers that came too late, or never.</param>
/// <param name="Launches">Workers that were launched.</param>
/// <param name="MostWorkers">Most workers at a time.</param>
public sealed record ReplayedDay(
    ScalePreset Preset, int MaxWorkers, int Jobs, double WorkerHours, double Cost, double WaitP50, double WaitP95, double WaitP99, int Late, int Launches, int MostWorkers);
