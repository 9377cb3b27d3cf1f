namespace Spotter.Scaling.Simulation;

/// <summary>
/// A bound for traces where everything arrives before the first boot can end. On k machines the sum of completion times
/// is at least that of Eastman, Even and Isaacs (1964); the best k is taken.
/// </summary>
internal static class BurstBound
{
    public static double Of(MachineKind machine, ArrivalTrace trace, double price)
    {
        if (trace.Arrivals[^1] > machine.BootSeconds)
            return 0;
        var shortestFirst = trace.Services.Order().ToArray();
        var work = trace.Services.Sum();
        double oneByOne = 0;
        for (var i = 0; i < shortestFirst.Length; i++)
            oneByOne += shortestFirst[i] * (shortestFirst.Length - i);
        var boot = trace.Arrivals.Sum(a => machine.BootSeconds - a);

        var least = double.PositiveInfinity;
        for (var workers = 1; workers <= machine.MaxWorkers; workers++)
        {
            var k = workers * machine.Lanes;
            var queueing = Math.Max(0, (oneByOne / k) + ((k - 1) / (2.0 * k) * work) - work);
            least = Math.Min(least, (workers * machine.BootSeconds) + (work / machine.Lanes) + (price * (boot + queueing)));
        }
        return least;
    }
}
