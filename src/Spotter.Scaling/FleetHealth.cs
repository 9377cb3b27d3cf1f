namespace Spotter.Scaling;

/// <summary>What a fleet knows of workers that ended without being told to.</summary>
/// <param name="Crashes">
/// Workers that had joined and then died, since the start. Those that ran a job with no neighbours are left out: that was
/// the job's doing, and jobs are only given so many workers.
/// </param>
/// <param name="FailedBoots">
/// Workers in a row that could not be started, ended before they had joined, or took too long; 0 as soon as one joins.
/// </param>
public readonly record struct FleetHealth(long Crashes, int FailedBoots);
