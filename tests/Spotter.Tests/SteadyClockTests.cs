using Spotter.Core;

namespace Spotter.Tests;

public sealed class SteadyClockTests
{
    private readonly ManualClock machine = new();
    private readonly SteadyClock clock;

    public SteadyClockTests()
    {
        clock = new SteadyClock(machine);
        clock.GetUtcNow().ShouldBe(machine.GetUtcNow());
    }

    [Fact]
    public void It_follows_the_machine_forward_at_once()
    {
        machine.Advance(TimeSpan.FromSeconds(10));
        clock.GetUtcNow().ShouldBe(machine.GetUtcNow());

        machine.ShiftWallClock(TimeSpan.FromHours(1));
        clock.GetUtcNow().ShouldBe(machine.GetUtcNow());
    }

    [Fact]
    public void After_a_step_forward_that_is_taken_back_it_comes_back_to_the_machines_time()
    {
        machine.ShiftWallClock(TimeSpan.FromHours(1));
        clock.GetUtcNow();
        machine.ShiftWallClock(TimeSpan.FromHours(-1));

        Ahead().ShouldBe(TimeSpan.FromHours(1));
        Run(TimeSpan.FromMinutes(150)).ShouldBe(TimeSpan.FromMinutes(30));
        Run(TimeSpan.FromMinutes(150)).ShouldBe(TimeSpan.Zero);
        Run(TimeSpan.FromMinutes(10)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void It_never_goes_back_and_never_stands_still()
    {
        var random = RandomSource.Seeded(7);
        var last = clock.GetUtcNow();
        for (var i = 0; i < 10_000; i++)
        {
            if (i % 100 == 0)
                machine.ShiftWallClock(TimeSpan.FromSeconds((random.NextDouble() * 7200) - 3600));
            machine.Advance(TimeSpan.FromSeconds(1));
            var now = clock.GetUtcNow();
            (now - last).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(0.8));
            now.ShouldBeGreaterThanOrEqualTo(machine.GetUtcNow());
            last = now;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-24)]
    public void A_lease_lasts_for_a_quarter_longer_at_most(int hours)
    {
        var until = clock.GetUtcNow() + TimeSpan.FromSeconds(30);
        machine.ShiftWallClock(TimeSpan.FromHours(hours));
        SteadyClock.Longest(TimeSpan.FromSeconds(30)).ShouldBe(TimeSpan.FromSeconds(37.5));

        machine.Advance(TimeSpan.FromSeconds(37.5));

        clock.GetUtcNow().ShouldBeGreaterThanOrEqualTo(until);
    }

    private TimeSpan Ahead() => clock.GetUtcNow() - machine.GetUtcNow();

    /// <summary>How far it is ahead after so long, having been looked at ten times a second.</summary>
    private TimeSpan Run(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(100))
        {
            machine.Advance(TimeSpan.FromMilliseconds(100));
            clock.GetUtcNow();
        }
        return Ahead();
    }
}
