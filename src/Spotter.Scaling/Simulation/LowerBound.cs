namespace Spotter.Scaling.Simulation;

/// <summary>
/// What no schedule can fall below, however much it knows: workers and waiting together, for several prices of a second
/// of waiting. Schedules begin without a worker and on machines without faults.
/// </summary>
public sealed class LowerBound
{
    private static readonly double[] Prices = [0.1, 0.3, 1, 3];

    private readonly double[] bounds;
    private readonly double leastBill;

    private LowerBound(double[] bounds, double leastBill) => (this.bounds, this.leastBill) = (bounds, leastBill);

    /// <summary>The bound when a second of waiting is worth a second of a worker.</summary>
    public double AtPar => At(1);

    /// <summary>Works out the bounds.</summary>
    /// <param name="machine">The workers.</param>
    /// <param name="trace">The jobs; at least one.</param>
    /// <param name="plans">Plans with full knowledge, to begin the search at.</param>
    /// <param name="cancel">Stops it.</param>
    public static LowerBound Of(MachineKind machine, ArrivalTrace trace, IReadOnlyList<ClairvoyantPlan> plans, CancellationToken cancel = default)
    {
        var found = Prices.Select(price => Math.Max(
            RentBound.Of(machine, trace, price, ClairvoyantPlan.Best(plans, price), cancel),
            Math.Max(BurstBound.Of(machine, trace, price), GapBound.Of(machine, trace, price, cancel)))).ToArray();
        return new(found, (trace.Services.Sum() / machine.Lanes) + machine.BootSeconds);
    }

    /// <summary>The bound when a second of waiting is worth <paramref name="price"/> seconds of a worker: 0.1, 0.3, 1 or 3.</summary>
    public double At(double price) => bounds[Array.IndexOf(Prices, price)];

    /// <summary>The least bill of any schedule whose jobs wait no longer together than <paramref name="totalWait"/>, in worker-seconds.</summary>
    public double LeastBill(double totalWait) => Prices.Zip(bounds, (price, bound) => bound - (price * totalWait)).Append(leastBill).Max();
}
