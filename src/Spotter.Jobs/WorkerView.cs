namespace Spotter.Jobs;

/// <summary>What a worker is doing, as far as scaling is concerned.</summary>
public enum WorkerState
{
    /// <summary>Launched, has not joined yet.</summary>
    Booting,

    /// <summary>Joined, and loads its first model.</summary>
    Loading,

    /// <summary>Joined, runs no job.</summary>
    Idle,

    /// <summary>Runs at least one job.</summary>
    Busy,

    /// <summary>Finishes what it has and then ends.</summary>
    Draining,
}

/// <summary>One worker, seen from outside.</summary>
/// <param name="Id">Its name in the fleet.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Age">Time since its launch.</param>
/// <param name="StateAge">Time since it has been in this state.</param>
public sealed record WorkerView(string Id, WorkerState State, TimeSpan Age, TimeSpan StateAge)
{
    /// <summary>True while it is on its way to its first job, and can't take it yet.</summary>
    public bool IsBooting => State is WorkerState.Booting or WorkerState.Loading;
}
