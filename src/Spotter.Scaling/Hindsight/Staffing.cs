namespace Spotter.Scaling.Hindsight;

/// <summary>How many workers a steady stream of jobs is worth.</summary>
internal static class Staffing
{
    // Mean of the squared variations of arrivals and services: those of a Poisson stream, and jobs that vary by half.
    private const double Variation = (1 + 0.25) / 2;

    /// <summary>The least number of workers beyond which one more saves less waiting than it costs while it idles.</summary>
    /// <param name="load">Workers that the jobs keep busy on average.</param>
    /// <param name="price">What a second of a job's waiting is worth, in worker-seconds.</param>
    /// <param name="most">Never more.</param>
    public static int WorkersFor(double load, double price, int most)
    {
        var n = (int)Math.Min(most, Math.Floor(load) + 1);
        while (n < most && price * (Queue(n, load) - Queue(n + 1, load)) >= 1)
            n++;
        return n;
    }

    /// <summary>Jobs that wait on average before <paramref name="n"/> workers (Sakasegawa's approximation).</summary>
    private static double Queue(int n, double load)
    {
        var busy = load / n;
        return busy >= 1 ? double.PositiveInfinity : Variation * Math.Pow(busy, Math.Sqrt(2 * (n + 1))) / (1 - busy);
    }
}
