namespace Spotter.Backends.Postgres;

/// <summary>
/// The server's time, told by this machine's clock and its difference from the server's: gateways that share a
/// database have to agree on when a lease ends.
/// </summary>
internal sealed class ServerClock(TimeProvider clock) : TimeProvider
{
    /// <summary>Smaller differences are left alone, so that time doesn't jitter with the network.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    private long offsetTicks;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow().AddTicks(Volatile.Read(ref offsetTicks));

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <summary>Takes over what the server said its time was, midway between asking and hearing.</summary>
    public void Set(DateTimeOffset server, DateTimeOffset asked, DateTimeOffset heard)
    {
        var taken = heard - asked;
        // An answer that took long says little, and a clock that was moved meanwhile says nothing.
        if (taken < TimeSpan.Zero || taken > TimeSpan.FromSeconds(1))
            return;
        var difference = server - (asked + (taken / 2));
        if ((difference - TimeSpan.FromTicks(Volatile.Read(ref offsetTicks))).Duration() > Tolerance)
            Volatile.Write(ref offsetTicks, difference.Ticks);
    }

    /// <summary>This machine's own time.</summary>
    public DateTimeOffset Own => clock.GetUtcNow();
}
