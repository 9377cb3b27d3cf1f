namespace Spotter.Jobs;

/// <summary>
/// Tells whether a lease that has run out says anything about its worker. It does not after a long outage of the store, a pause
/// of this process (a laptop that slept), a clock that was set, or a start: until each worker has had the time to extend it.
/// </summary>
internal sealed class SteadySight(LeaseSettings settings, TimeProvider time)
{
    private DateTimeOffset? since;
    private DateTimeOffset latest;

    /// <summary>Called before each round; true once the store has been in sight for as long as a lease lasts, but for short gaps.</summary>
    public bool Look()
    {
        // By the time of day, as leases are: a machine that sleeps stands still by the other clock.
        var now = time.GetUtcNow();
        if (since is null || IsGap(now))
            (since, latest) = (now, now);
        return now - since >= settings.Duration;
    }

    /// <summary>Called after a round in which the store answered. A round that takes as long as a gap is one.</summary>
    public void Answered()
    {
        var now = time.GetUtcNow();
        if (IsGap(now))
            since = now;
        latest = now;
    }

    // In less than this no lease of a worker that is well has run out: it was extended within half of its time.
    private bool IsGap(DateTimeOffset now) => now < latest || now - latest > LongestGap;

    private TimeSpan LongestGap => settings.Duration / 2 > settings.Sweep * 2 ? settings.Duration / 2 : settings.Sweep * 2;
}
