namespace Spotter.Scaling.Hindsight;

/// <summary>
/// What would have happened with every number of workers: for each n a queue before n workers that are always there,
/// fed with the arrivals as they come. What two neighbours differ by is what the one worker more would have saved.
/// </summary>
internal sealed class ShadowFleets
{
    // Beyond so many workers no shadow is kept: memory grows with the square.
    private const int Most = 200;

    private readonly double[][] starts; // of fleet n, by lane: when its latest job began, in seconds
    private readonly int[] oldest;      // of fleet n: the lane that is free first
    private readonly double[] saved;
    private double everything;

    /// <summary>Creates shadows of fleets of 1 to <paramref name="most"/> workers.</summary>
    public ShadowFleets(int most, int lanes)
    {
        most = Math.Min(most, Most);
        starts = [.. Enumerable.Range(1, most).Select(n => Enumerable.Repeat(double.NegativeInfinity, n * lanes).ToArray())];
        oldest = new int[most];
        saved = new double[most];
    }

    /// <summary>
    /// The waiting that worker <paramref name="k"/> beside k - 1 others would have saved so far, in job-seconds; of one
    /// without a shadow, as much as there could be.
    /// </summary>
    public double Saved(int k) => k <= saved.Length ? saved[k - 1] : everything;

    /// <summary>A job arrives.</summary>
    /// <param name="now">When, in seconds.</param>
    /// <param name="service">What it takes, in seconds.</param>
    /// <param name="longest">No job waits longer, in seconds: by then a real fleet would have grown.</param>
    public void Arrive(double now, double service, double longest)
    {
        everything += longest;
        var withOneLess = longest;
        for (var n = 0; n < starts.Length; n++)
        {
            ref var lane = ref starts[n][oldest[n]];
            var wait = Math.Clamp(lane + service - now, 0, longest);
            lane = now + wait;
            oldest[n] = oldest[n] + 1 == starts[n].Length ? 0 : oldest[n] + 1;
            saved[n] += withOneLess - wait;
            withOneLess = wait;
        }
    }
}
