namespace Spotter.Scaling;

/// <summary>
/// Starts and ends workers somewhere: as processes, pods, machines. It does what it is told and knows no rules:
/// patience, drains and crash counts are <see cref="FleetController"/>'s. Its methods are called by one caller at a time.
/// </summary>
public interface IWorkerLauncher
{
    /// <summary>
    /// Called when a worker has ended, by itself or because it was stopped; it stays in the list until this has returned.
    /// A launcher that does not learn of ends never calls it: its workers are just missing from the list.
    /// </summary>
    Action<WorkerExit>? Exited { get; set; }

    /// <summary>
    /// True when its workers are no one gateway's: they stay when the service ends, all gateways see the same ones, and only the
    /// one that scales may end them.
    /// </summary>
    bool IsShared => false;

    /// <summary>How long a worker may take to join before it is stopped, the first time.</summary>
    TimeSpan BootPatience => TimeSpan.FromSeconds(60);

    /// <summary>How long a worker usually takes to join, until that has been measured; one that takes three times as long may be given up.</summary>
    TimeSpan UsualBoot => TimeSpan.FromSeconds(1);

    /// <summary>The workers that were started and have not ended. Changes nothing.</summary>
    Task<IReadOnlyList<LaunchedWorker>> ListAsync(CancellationToken cancel);

    /// <summary>
    /// Starts workers; returns when they are launched, not when they have joined. How many: fewer than
    /// <paramref name="count"/> when no more can be started now. Those started are listed from then on, each under a name
    /// that no earlier one had and by which it joins.
    /// </summary>
    Task<int> StartAsync(int count, CancellationToken cancel);

    /// <summary>Ends a worker for good, whatever it is doing. One that has ended, or that it never started, changes nothing.</summary>
    Task StopAsync(string worker, CancellationToken cancel);
}

/// <summary>A launcher that reaches its workers at once; with any other, orders wait for a worker's next heartbeat.</summary>
public interface IWorkerLine
{
    /// <summary>Tells a worker to finish what it has and end: by order <paramref name="order"/>, or for good when that is null.</summary>
    void Drain(string worker, int? order);

    /// <summary>Tells a worker that was told to drain to stay after all.</summary>
    void Stay(string worker, int order);

    /// <summary>Says a line to all workers, in words that the launcher need not understand.</summary>
    void TellAll(string line);
}

/// <summary>A worker that was started and has not ended.</summary>
/// <param name="Name">The name by which it joins.</param>
/// <param name="Age">Time since its start.</param>
public sealed record LaunchedWorker(string Name, TimeSpan Age);

/// <summary>How a worker ended.</summary>
/// <param name="Worker">Its name.</param>
/// <param name="Status">Its exit status, 128 and the number of the signal that ended it; null when that is not known.</param>
/// <param name="Breadcrumbs">What its threads were doing then, one byte for each; empty when that is not known.</param>
public sealed record WorkerExit(string Worker, int? Status, IReadOnlyList<byte> Breadcrumbs)
{
    // Illegal instruction, abort, bus error (two numbers), arithmetic, memory.
    private static readonly int[] Crashes = [4, 6, 7, 8, 10, 11];

    /// <summary>The exit status of a worker that ended because a job could not be stopped in it: the job's doing, not the worker's.</summary>
    public const int StuckStatus = 3;

    /// <summary>True when the process itself did something that no process may do.</summary>
    public bool IsCrash => Status is { } status && Crashes.Contains(status - 128);
}
