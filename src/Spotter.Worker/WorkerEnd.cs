namespace Spotter.Worker;

/// <summary>How a worker came to its end.</summary>
public enum WorkerEnd
{
    /// <summary>It was told to, and has handed in everything.</summary>
    Drained,

    /// <summary>It had no time to finish what it ran, and has given it back; only the end of the process can stop that.</summary>
    GaveUp,

    /// <summary>A job got stuck in native code, which only the end of the process can stop.</summary>
    Stuck,
}
