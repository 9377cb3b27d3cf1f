namespace Spotter.Cli.Load;

/// <summary>How requests come.</summary>
internal enum ArrivalKind
{
    /// <summary>Each of some clients sends its next picture when it has the answer to the one before.</summary>
    Closed,

    /// <summary>At a rate that does not heed the answers, at random moments.</summary>
    Poisson,

    /// <summary>At a rate that does not heed the answers, evenly.</summary>
    Even,

    /// <summary>All at once: as fast as they are accepted.</summary>
    Burst,
}

/// <summary>What to send, and how.</summary>
internal sealed record LoadSettings
{
    /// <summary>How many pictures.</summary>
    public required int Jobs { get; init; }

    /// <summary>How they come.</summary>
    public ArrivalKind Arrivals { get; init; } = ArrivalKind.Closed;

    /// <summary>Requests per second, for arrivals at a rate.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>Most requests at a time; of closed arrivals the clients.</summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>What repeats the random moments.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The share of accepted requests that are sent once more under the same key.</summary>
    public double Repeat { get; init; }

    /// <summary>May answers be those of earlier jobs with the same picture?</summary>
    public bool Reuse { get; init; }

    /// <summary>Fields that go with every picture.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields { get; init; } = [];

    /// <summary>Gives up once so long nothing was accepted or ended while something should have been.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);
}
