using Spotter.Worker;

namespace Spotter.Tests.Worker;

public sealed class DrainSwitchTests
{
    [Fact]
    public void Whoever_asks_later_still_hears_of_the_state()
    {
        using var drain = new DrainSwitch();
        drain.Staying.IsCancellationRequested.ShouldBeTrue();

        drain.Obey(1, drain: true);
        (drain.Draining.IsCancellationRequested, drain.Staying.IsCancellationRequested).ShouldBe((true, false));

        drain.Obey(2, drain: false);
        (drain.Draining.IsCancellationRequested, drain.Staying.IsCancellationRequested).ShouldBe((false, true));

        drain.DrainForGood();
        drain.Stay(4);
        (drain.Draining.IsCancellationRequested, drain.Staying.IsCancellationRequested).ShouldBe((true, false));
    }

    [Fact]
    public void Orders_that_were_overtaken_change_nothing()
    {
        using var drain = new DrainSwitch();

        drain.Obey(5, drain: true);
        drain.Obey(4, drain: false);

        drain.IsDraining.ShouldBeTrue();
    }
}
