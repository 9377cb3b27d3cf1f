namespace Spotter.Core;

/// <summary>
/// The time of day, as far as it goes forward. When the machine's clock is set back, this one goes on at its own pace, so
/// that nothing that is due now comes to lie in the future, and no lease lasts for longer than it was given.
/// </summary>
/// <param name="clock">The machine's clock.</param>
public sealed class SteadyClock(TimeProvider clock) : TimeProvider
{
    // From the clock that can't be set to the one that can; in ticks.
    private long offset = long.MinValue;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        var elapsed = clock.GetElapsedTime(0).Ticks;
        var seen = clock.GetUtcNow().Ticks - elapsed;
        var known = Interlocked.Read(ref offset);
        while (seen > known)
        {
            var before = Interlocked.CompareExchange(ref offset, seen, known);
            known = before == known ? seen : before;
        }
        return new DateTimeOffset(known + elapsed, TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
