using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class ScaleMeterTests
{
    [Fact]
    public void A_pool_is_told_of_its_own_jobs_and_the_whole_of_all()
    {
        var whole = new ScaleMeter();
        var pool = new ScaleMeter { Whole = whole };
        whole.PoolOf = queue => queue == "detect/a" ? pool : null;
        whole.Served("detect/a", TimeSpan.FromSeconds(1));
        whole.Served("detect/b", TimeSpan.FromSeconds(2));
        pool.Booted(TimeSpan.FromSeconds(3));

        pool.Take().Served.ShouldBe([1]);
        var (served, booted) = whole.Take();
        (served.Count, booted.Count).ShouldBe((2, 1));
    }

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
