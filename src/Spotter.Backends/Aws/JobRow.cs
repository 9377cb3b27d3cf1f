using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A job, and what only the store knows of it. Rows are never changed, but replaced.</summary>
/// <param name="Job">What the application sees.</param>
/// <param name="Due">While it is queued: from when on it may be taken.</param>
/// <param name="LeasedUntil">While it runs: when its lease runs out.</param>
internal sealed record JobRow(Job Job, DateTimeOffset Due, DateTimeOffset LeasedUntil)
{
    /// <summary>See <see cref="NewJob.ResultCacheKey"/>.</summary>
    public string? CacheKey { get; init; }

    /// <summary>When its last message was sent: not again for a while.</summary>
    public DateTimeOffset Sent { get; init; }

    /// <summary>Rises with each change; a write replaces only the version that it has read.</summary>
    public long Version { get; init; } = 1;

    /// <summary>How many items besides its own it takes; 0 for most.</summary>
    public int Parts { get; init; }

    public bool IsQueued => Job.State == JobState.Queued;

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
