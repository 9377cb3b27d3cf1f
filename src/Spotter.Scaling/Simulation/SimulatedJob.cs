namespace Spotter.Scaling.Simulation;

/// <summary>A job in a simulation. Times are seconds since the start.</summary>
internal sealed class SimulatedJob(double arrival, double service, bool poison)
{
    public double Arrival { get; } = arrival;

    public double Service { get; } = service;

    /// <summary>True if it kills every worker that takes it.</summary>
    public bool Poison { get; } = poison;

    /// <summary>When the latest delivery began to be worked on.</summary>
    public double Start { get; set; }

    /// <summary>When it was done; null before.</summary>
    public double? Done { get; set; }

    /// <summary>Deliveries so far; tells an event of an earlier one from the present.</summary>
    public int Receives { get; set; }
}
