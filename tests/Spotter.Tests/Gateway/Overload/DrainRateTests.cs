using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Overload;

public sealed class DrainRateTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void Nothing_measured_is_not_zero()
    {
        var rate = new DrainRate(clock);
        rate.PerSecond.ShouldBeNull();
        rate.Read(1_000_000);
        rate.PerSecond.ShouldBeNull();
        rate.TimeFor(1_000_000).ShouldBe(TimeSpan.FromSeconds(10));

        clock.Advance(TimeSpan.FromSeconds(1));
        rate.Read(1_000_000);
        rate.PerSecond.ShouldBe(0);
    }

    [Fact]
    public void Only_the_window_counts()
    {
        var rate = new DrainRate(clock);
        for (var second = 0; second <= 60; second++)
        {
            rate.Read(second <= 30 ? second * 100 : 3000 + ((second - 30) * 2));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        rate.PerSecond!.Value.ShouldBeInRange(1.9, 2.1);
    }

    [Fact]
    public void A_single_reading_from_before_the_window_bridges_a_pause()
    {
        var rate = new DrainRate(clock);
        rate.Read(0);
        clock.Advance(TimeSpan.FromSeconds(100));
        rate.Read(200);
        rate.PerSecond.ShouldBe(2);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(15, 3)]
    [InlineData(1500, 300)]
    [InlineData(1e9, 300)]
    public void The_time_for_jobs_is_bounded(double jobs, double seconds)
    {
        var rate = new DrainRate(clock);
        rate.Read(0);
        clock.Advance(TimeSpan.FromSeconds(10));
        rate.Read(50);
        rate.TimeFor(jobs).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void When_nothing_ends_one_is_sent_away_for_as_long_as_anybody()
    {
        var rate = new DrainRate(clock);
        rate.Read(7);
        clock.Advance(TimeSpan.FromSeconds(10));
        rate.Read(7);
        rate.TimeFor(1).ShouldBe(TimeSpan.FromSeconds(300));
    }
}
