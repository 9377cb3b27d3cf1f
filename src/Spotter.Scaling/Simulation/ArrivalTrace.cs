namespace Spotter.Scaling.Simulation;

/// <summary>When jobs came, and how long each takes.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Arrivals">Seconds since the start, ascending.</param>
/// <param name="Services">Seconds of work, one per arrival.</param>
/// <param name="Horizon">Where the trace ends, in seconds: workers that are never let go are paid for until then.</param>
public sealed record ArrivalTrace(string Name, IReadOnlyList<double> Arrivals, IReadOnlyList<double> Services, double Horizon)
{
    // In seconds, or as a share of the mean where jobs are short.
    private const double ShortestService = 0.05;
    private const double ShortestShare = 0.05;

    /// <summary>Sorts the arrivals and draws a service time for each.</summary>
    public static ArrivalTrace Create(string name, List<double> arrivals, double horizon, MachineKind machine, Draws draws)
    {
        arrivals.Sort();
        var services = new double[arrivals.Count];
        var shortest = Math.Min(ShortestService, ShortestShare * machine.ServiceSeconds);
        for (var i = 0; i < services.Length; i++)
            services[i] = Math.Max(shortest, draws.LogNormal(machine.ServiceSeconds, machine.ServiceVariation));
        return new(name, arrivals, services, horizon);
    }
}
