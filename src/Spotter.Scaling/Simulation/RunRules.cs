namespace Spotter.Scaling.Simulation;

/// <summary>How the fleet around a policy behaves.</summary>
public sealed record RunRules
{
    /// <summary>What becomes of workers that are to go.</summary>
    public Removal Removal { get; init; } = Removal.AfterItsJob;

    /// <summary>
    /// True: a job goes to the worker that was busy last, so that the others stay idle and can go.
    /// False: to any, as a queue does that everybody polls.
    /// </summary>
    public bool MostRecentFirst { get; init; }

    /// <summary>Time between a worker's looks at the queue, in seconds; 0 when it is given jobs at once.</summary>
    public double LookSeconds { get; init; }

    /// <summary>A worker that has not joined after so many boot times is removed by the platform; null: never.</summary>
    public double? BootTimeout { get; init; }

    /// <summary>The fleet is kept at this size without work and paid for until the end of the trace.</summary>
    public int KeptWorkers { get; init; }

    /// <summary>Time between two looks of the policy, in seconds.</summary>
    public double TickSeconds { get; init; } = 1;
}
