namespace Spotter.Jobs;

/// <summary>
/// A job, and what only its store knows of it, for stores that keep a row as a whole. Rows are never changed, but replaced
/// (<see cref="JobTransitions"/>); a store's own kind of row has what else it keeps.
/// </summary>
/// <param name="Job">What the application sees.</param>
/// <param name="Due">While it is queued: from when on it may be taken.</param>
/// <param name="LeasedUntil">While it runs: when its lease runs out.</param>
public record StoredJob(Job Job, DateTimeOffset Due, DateTimeOffset LeasedUntil)
{
    /// <summary>See <see cref="NewJob.ResultCacheKey"/>.</summary>
    public string? CacheKey { get; init; }

    /// <summary>It waits.</summary>
    public bool IsQueued => Job.State == JobState.Queued;

    /// <summary>A worker has it.</summary>
    public bool IsRunning => Job.State == JobState.Running;

    /// <summary>It waits, and may still be started.</summary>
    public bool MayStart(DateTimeOffset now) => IsQueued && !HasExpired(now);

    /// <summary>It waits, and nobody has started it in time.</summary>
    public bool HasExpired(DateTimeOffset now) => IsQueued && Job.Expires <= now;

    /// <summary>True for the lease that may end this attempt.</summary>
    public bool IsHeldBy(Lease lease) => IsRunning && Job.FencingToken == lease.FencingToken && Job.Worker == lease.Worker;

    /// <summary>The blobs that are to be kept because of it.</summary>
    public IEnumerable<string> Blobs =>
        Job.InputsExpired ? [] : [.. Job.Spec.Inputs.Select(i => i.Key), .. Job.Outputs.Select(o => o.Key), .. Job.Output is { } picture ? [picture] : Array.Empty<string>()];
}
