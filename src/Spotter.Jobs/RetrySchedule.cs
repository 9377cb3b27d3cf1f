using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>When a job is tried again, and when no more.</summary>
public sealed record RetrySchedule
{
    /// <summary>Attempts before a job is dead.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>
    /// From this attempt on a job that takes its worker with it is dead: a picture that kills three workers is not given
    /// a fourth.
    /// </summary>
    public int MaxDeaths { get; init; } = 3;

    /// <summary>Wait after the first attempt; doubles with each one.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No wait is longer.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Wait after an attempt that cost nothing (a drain): just enough not to spin.</summary>
    public TimeSpan FreeDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The wait after <paramref name="attempts"/> attempts, the last of which took its worker with it if
    /// <paramref name="died"/>; null when that was the last. Between half and all of the exponential step, so that jobs
    /// that failed together don't come back together.
    /// </summary>
    public TimeSpan? DelayAfter(int attempts, RandomSource random, bool died = false)
    {
        if (attempts >= (died ? Math.Min(MaxDeaths, MaxAttempts) : MaxAttempts))
            return null;
        var step = FirstDelay * Math.Pow(2, Math.Clamp(attempts - 1, 0, 30));
        var capped = step < LongestDelay ? step : LongestDelay;
        return capped * (0.5 + (random.NextDouble() / 2));
    }
}
