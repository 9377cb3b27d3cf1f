namespace Spotter.Jobs;

/// <summary>
/// Tells whether a lease that has run out says anything about its worker. It does not after an outage of the store, a pause of
/// this process (a laptop that slept), a clock that was set ahead, or a start: until each worker has had the time to extend it.
/// </summary>
internal sealed class SteadySight(LeaseSettings settings, TimeProvider time)
{
    private DateTimeOffset? since;
    private DateTimeOffset latest;

    /// <summary>Called at each round; true once the store has been in sight for as long as a lease lasts.</summary>
    public bool Look()
    {
        // By the time of day, as leases are: a machine that sleeps stands still by the other clock.
        var now = time.GetUtcNow();
        if (since is null || now < latest || now - latest > LongestGap)
            since = now;
        latest = now;
        return now - since >= settings.Duration;
    }

    /// <summary>The store did not answer.</summary>
    public void Lose() => since = null;

    // In half of a lease a worker extends it at least once.
    private TimeSpan LongestGap => settings.Duration / 2 > settings.Sweep * 2 ? settings.Duration / 2 : settings.Sweep * 2;
}
