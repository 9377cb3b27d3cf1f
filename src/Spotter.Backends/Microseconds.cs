namespace Spotter.Backends;

/// <summary>Times as the tables hold them: microseconds since 1970.</summary>
internal static class Microseconds
{
    public static long Now(TimeProvider clock) => From(clock.GetUtcNow());

    public static long From(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Rounded up, so that nothing is due before its time.</summary>
    public static long From(TimeSpan span) => (span.Ticks + TimeSpan.TicksPerMicrosecond - 1) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
