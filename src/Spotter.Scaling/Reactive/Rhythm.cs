namespace Spotter.Scaling.Reactive;

/// <summary>The beat of a rule that looks less often than it is asked: first after a phase, then every period.</summary>
internal sealed class Rhythm(TimeSpan period, TimeSpan phase = default)
{
    // Ticks that come a hair early are not put off for a whole tick.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(1);

    private TimeSpan? next;

    /// <summary>True once per beat; beats that nobody asked for are not made up for.</summary>
    public bool Due(TimeSpan now)
    {
        next ??= now + phase;
        if (now + Slack < next)
            return false;
        next = now - next < period ? next + period : now + period;
        return true;
    }
}
