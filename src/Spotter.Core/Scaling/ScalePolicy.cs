namespace Spotter.Core.Scaling;

/// <summary>
/// Decides how many workers there should be. Pure: the same observations give the same decisions, so that a
/// policy can be simulated on a trace and then trusted with a fleet.
/// </summary>
public abstract class ScalePolicy
{
    /// <summary>Called every tick, and at once when a job arrives while there is no worker.</summary>
    public abstract ScaleDecision Decide(ScaleObservation seen);
}

/// <summary>The limits and constants of a policy.</summary>
public sealed record ScaleSettings
{
    /// <summary>Never fewer workers.</summary>
    public int Min { get; init; }

    /// <summary>Never more workers.</summary>
    public int Max { get; init; } = 1;

    /// <summary>Jobs that one worker runs at a time.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>A worker is kept this long without work.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(30);
}
