using Spotter.Core;

namespace Spotter.Backends;

/// <summary>How work in the background waits and runs, and where names come from that nobody may guess: a simulation has all of it in its hands.</summary>
/// <param name="Clock">By what pauses are measured. Not the clock by which jobs are due, which tests move on their own.</param>
/// <param name="Start">Runs something beside its caller.</param>
/// <param name="Random">Names, and how long pauses are.</param>
internal sealed record Pace(TimeProvider Clock, Func<Func<Task>, Task> Start, RandomSource Random)
{
    /// <summary>In real time, on the pool.</summary>
    public static Pace Real { get; } = new(TimeProvider.System, static work => Task.Run(work, CancellationToken.None), RandomSource.System);
}
