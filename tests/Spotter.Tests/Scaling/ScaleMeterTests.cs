using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class ScaleMeterTests
{
    [Fact]
    public void Times_are_taken_once_and_counts_go_on()
    {
        var meter = new ScaleMeter();
        meter.Arrived(2);
        meter.Arrived(0);
        meter.Served(TimeSpan.FromMilliseconds(250));
        meter.Booted(TimeSpan.FromSeconds(3));

        var (served, booted) = meter.Take();
        served.ShouldBe([0.25]);
        booted.ShouldBe([3]);
        meter.Take().Served.ShouldBeEmpty();
        (meter.TotalArrived, meter.TotalServed).ShouldBe((2, 1));
    }

    [Fact]
    public void When_nobody_takes_them_the_latest_thousand_are_kept()
    {
        var meter = new ScaleMeter();
        for (var i = 0; i < 3000; i++)
            meter.Served(TimeSpan.FromSeconds(i));

        var served = meter.Take().Served;
        served.Count.ShouldBe(1000);
        served[^1].ShouldBe(2999);
    }
}
