using Spotter.Cli.Load;

namespace Spotter.Tests.Load;

public sealed class LoadPiecesTests
{
    [Fact]
    public void Percentiles_are_durations_that_occurred()
    {
        var latencies = new Latencies();
        for (var i = 200; i >= 1; i--)
            latencies.Add(TimeSpan.FromMilliseconds(i));

        latencies.Summarise().ShouldBe(new Percentiles(200, 100, 180, 190, 198, 200));
    }

    [Fact]
    public void One_duration_is_all_percentiles()
    {
        var latencies = new Latencies();
        latencies.Add(TimeSpan.FromMilliseconds(7));

        latencies.Summarise().ShouldBe(new Percentiles(1, 7, 7, 7, 7, 7));
        new Latencies().Summarise().ShouldBeNull();
    }

    [Fact]
    public void Even_arrivals_are_evenly_apart() =>
        ArrivalTimes.Of(new() { Jobs = 4, Arrivals = ArrivalKind.Even, Rate = 4 })
            .ShouldBe([TimeSpan.Zero, TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(0.75)]);

    [Fact]
    public void A_burst_is_due_at_once() =>
        ArrivalTimes.Of(new() { Jobs = 3, Arrivals = ArrivalKind.Burst }).ShouldAllBe(due => due == TimeSpan.Zero);

    [Fact]
    public void Random_arrivals_have_the_rate_the_spread_and_the_seed_that_were_asked_for()
    {
        var settings = new LoadSettings { Jobs = 20_001, Arrivals = ArrivalKind.Poisson, Rate = 50, Seed = 3 };
        var times = ArrivalTimes.Of(settings).ToList();
        var gaps = times.Zip(times.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();

        times.Count.ShouldBe(20_001);
        gaps.ShouldAllBe(gap => gap >= 0);
        var mean = gaps.Average();
        mean.ShouldBe(1 / 50.0, 0.0006);
        // Of an exponential distribution the deviation is the mean.
        Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean))).ShouldBe(mean, 0.001);
        ArrivalTimes.Of(settings).ShouldBe(times);
        ArrivalTimes.Of(settings with { Seed = 4 }).ShouldNotBe(times);
    }
}
