using Spotter.Core.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class DecisionLogTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_keeps_what_changed_and_not_what_was_said_again()
    {
        var log = new DecisionLog();

        log.Add(Noon, Decision(1, "one")).ShouldBeTrue();
        log.Add(Noon.AddSeconds(1), Decision(1, "one")).ShouldBeFalse();
        log.Add(Noon.AddSeconds(2), Decision(2, "two")).ShouldBeTrue();

        log.Latest().Select(d => d.Decision.Reason).ShouldBe(["two", "one"]);
        log.Latest()[^1].Time.ShouldBe(Noon);
        log.Target.ShouldBe(2);
    }

    [Fact]
    public void It_is_bounded_and_drops_the_oldest()
    {
        var log = new DecisionLog();
        for (var i = 0; i < 1000; i++)
            log.Add(Noon, Decision(i, $"decision {i}"));

        log.Latest().Count.ShouldBe(200);
        log.Latest()[0].Decision.Target.ShouldBe(999);
        log.Latest()[^1].Decision.Target.ShouldBe(800);
    }

    private static ScaleDecision Decision(int target, string reason) => new(target, 0, [], [], reason);
}
