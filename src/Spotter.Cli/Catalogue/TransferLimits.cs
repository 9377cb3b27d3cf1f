using Spotter.Jobs;

namespace Spotter.Cli.Catalogue;

/// <summary>How patient a transfer is.</summary>
internal sealed record TransferLimits
{
    /// <summary>Longest time for a connection to come about.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest time in which nothing at all arrives.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Slowest transfer that is waited for, in bytes per second; a quarter of an hour is always given.</summary>
    public long SlowestRate { get; init; } = 16 << 10;

    /// <summary>Longest wait for another process that downloads the same file.</summary>
    public TimeSpan OtherPull { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often it is tried again after a fault in between, and after what time.</summary>
    public RetrySchedule Retries { get; init; } = new() { FirstDelay = TimeSpan.FromMilliseconds(500), LongestDelay = TimeSpan.FromSeconds(10) };

    /// <summary>Longest wait that a server may ask for.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time for so many bytes.</summary>
    public TimeSpan LongestFor(long bytes) => TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds((double)bytes / SlowestRate);
}
