namespace Spotter.Worker;

/// <summary>What a worker can be told.</summary>
public sealed record WorkerSettings
{
    /// <summary>Its name, unlike that of any other worker.</summary>
    public required string Name { get; init; }

    /// <summary>Jobs that run at a time.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>A job that runs longer than this has got stuck, and takes its worker with it.</summary>
    public TimeSpan JobTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A picture that takes longer than this to decode has got its decoder stuck, and takes the worker with it.</summary>
    public TimeSpan DecodeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What pictures may take of memory while jobs run, in bytes; null for a part of the machine's.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>How often to give a sign of life.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(5);
}
