using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>How long to wait before the next attempt: twice as long each time, and never quite as long as others who wait for the same.</summary>
/// <param name="random">For the jitter.</param>
internal sealed class Backoff(RandomSource random)
{
    /// <summary>Most of the first wait.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);

    /// <summary>Most of any wait.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private TimeSpan next = First;

    /// <summary>The next wait: from half of the bound to all of it, and then the bound doubles.</summary>
    public TimeSpan Next()
    {
        var wait = next * (0.5 + (random.NextDouble() / 2));
        next = next * 2 < Longest ? next * 2 : Longest;
        return wait;
    }

    /// <summary>Begins anew, after a success.</summary>
    public void Reset() => next = First;
}
