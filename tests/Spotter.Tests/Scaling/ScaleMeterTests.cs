using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class ScaleMeterTests
{
    [Fact]
    public void The_whole_is_told_of_all_that_its_pools_are()
    {
        var whole = new ScaleMeter();
        var (a, b) = (new ScaleMeter { Whole = whole }, new ScaleMeter { Whole = whole });
        a.Served(ServedJobs.One(1));
        b.Served(ServedJobs.One(1));
        a.Booted(TimeSpan.FromSeconds(3));

        a.TakeBooted().ShouldBe([3]);
        whole.TakeBooted().ShouldBe([3]);
        b.TakeBooted().ShouldBeEmpty();
        (whole.Measured.ServiceSeconds, whole.Measured.BootSeconds).ShouldBe((1, 3));
        b.Measured.ShouldBe(new ScaleMeasures { ServiceSeconds = 1 });
    }

    [Fact]
    public void Boots_are_taken_once_and_counts_go_on()
    {
        var meter = new ScaleMeter();
        meter.Arrived(2);
        meter.Arrived(0);
        meter.Booted(TimeSpan.FromSeconds(3));

        meter.TakeBooted().ShouldBe([3]);
        meter.TakeBooted().ShouldBeEmpty();
        meter.TotalArrived.ShouldBe(2);
    }

    [Fact]
    public void When_nobody_takes_them_the_latest_thousand_are_kept()
    {
        var meter = new ScaleMeter();
        for (var i = 0; i < 3000; i++)
            meter.Booted(TimeSpan.FromSeconds(i));

        var booted = meter.TakeBooted();
        booted.Count.ShouldBe(1000);
        booted[^1].ShouldBe(2999);
    }

    [Fact]
    public void Jobs_that_are_told_together_count_as_one_by_one_when_they_take_the_same()
    {
        var (single, together) = (new ScaleMeter(), new ScaleMeter());
        foreach (var meter in (ScaleMeter[])[single, together])
            meter.Served(ServedJobs.One(1) + ServedJobs.One(3));
        single.Measured.ServiceVariation.ShouldBe(0.5, "a second off, of two");
        for (var i = 0; i < 10; i++)
            single.Served(ServedJobs.One(5));
        together.Served(new ServedJobs(10, 50, 250));

        together.Measured.ServiceSeconds!.Value.ShouldBe(single.Measured.ServiceSeconds!.Value, 1e-9);
        together.Measured.ServiceVariance.ShouldBe(single.Measured.ServiceVariance, 1e-9);
    }
}
