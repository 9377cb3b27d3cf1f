namespace Spotter.Jobs;

/// <summary>How long leases last, and how long jobs and blobs are kept. One set for stores, workers and maintenance.</summary>
public sealed record LeaseSettings
{
    /// <summary>A lease lasts this long without a heartbeat.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker extends its leases this often.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is left of a lease that may stay as it is at a sign of life: then half of its time is left at the next, also when that one is late.</summary>
    public TimeSpan Enough => (Duration / 2) + (Heartbeat * 2) is var enough && enough < Duration ? enough : Duration;

    /// <summary>Leases that ran out are looked for this often.</summary>
    public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pictures are deleted this long after their job ended.</summary>
    public TimeSpan KeepBlobs { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Rows are deleted this long after their job ended.</summary>
    public TimeSpan KeepJobs { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Uploads past the gateway are deleted at this age if nobody has made a job of them: events about them may come late.</summary>
    public TimeSpan UploadAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Blobs that no row speaks of are deleted at this age: uploads that never became a job.</summary>
    public TimeSpan OrphanAge { get; init; } = TimeSpan.FromHours(1);
}
