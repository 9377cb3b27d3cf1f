namespace Spotter.Scaling;

/// <summary>What to do, and why.</summary>
/// <param name="Target">Workers wanted, draining ones not counted.</param>
/// <param name="Launch">How many to launch.</param>
/// <param name="Drain">Which to drain.</param>
/// <param name="CancelDrain">Which draining ones to keep.</param>
/// <param name="Reason">The inputs, the formula and the clamp that applied, in one line.</param>
public sealed record ScaleDecision(
    int Target, int Launch, IReadOnlyList<string> Drain, IReadOnlyList<string> CancelDrain, string Reason)
{
    /// <summary>The pool whose workers this is about; null where there is only one.</summary>
    public string? Pool { get; init; }

    /// <summary>The rule that set the target, with its numbers; null when there was nothing to work out.</summary>
    public string? Formula { get; init; }

    /// <summary>The limit that the target was held to; null when none applied.</summary>
    public string? Clamp { get; init; }

    /// <summary>The numbers that went in; null when they are unknown.</summary>
    public ScaleInputs? Inputs { get; init; }
}

/// <summary>The numbers that a decision was taken on.</summary>
public sealed record ScaleInputs
{
    /// <summary>Jobs waiting.</summary>
    public int Queued { get; init; }

    /// <summary>Jobs running.</summary>
    public int Running { get; init; }

    /// <summary>Workers that have joined and are not draining.</summary>
    public int Ready { get; init; }

    /// <summary>Workers launched that are still expected to join.</summary>
    public int Booting { get; init; }

    /// <summary>Jobs that would run now if none had ever waited.</summary>
    public int Demand { get; init; }

    /// <summary>Arrivals per second.</summary>
    public double ArrivalRate { get; init; }

    /// <summary>What a job takes on a worker, in seconds.</summary>
    public double ServiceSeconds { get; init; }

    /// <summary>What a worker takes to join, in seconds.</summary>
    public double BootSeconds { get; init; }
}
