namespace Spotter.Core;

/// <summary>
/// The time of day, but never backwards. When the machine's clock is set forward, this one follows at once. When it is set
/// back, this one runs slower until both meet, so that nothing that is due now comes to lie in the future, and a wrong time
/// does not stay for ever: an hour is made up for within five. Until then a lease lasts for a quarter longer at most.
/// </summary>
/// <param name="clock">The machine's clock.</param>
public sealed class SteadyClock(TimeProvider clock) : TimeProvider
{
    // It loses a fifth of the time that passes: what should take 30 s takes 37.5, within what a crash may cost.
    private const int LosesOneOf = 5;

    private readonly Lock gate = new();

    // The last time at which this clock and the machine's were the same; in ticks, and on the clock that can't be set.
    private long agreed = long.MinValue;
    private long agreedAt;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <summary>The longest that a span told by this clock can take.</summary>
    public static TimeSpan Longest(TimeSpan span) => span * LosesOneOf / (LosesOneOf - 1);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            var at = clock.GetTimestamp();
            var machine = clock.GetUtcNow().Ticks;
            if (agreed != long.MinValue)
            {
                var passed = clock.GetElapsedTime(agreedAt, at).Ticks;
                var slow = agreed + passed - (passed / LosesOneOf);
                if (slow > machine)
                    return new DateTimeOffset(slow, TimeSpan.Zero);
            }
            (agreed, agreedAt) = (machine, at);
            return new DateTimeOffset(machine, TimeSpan.Zero);
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
