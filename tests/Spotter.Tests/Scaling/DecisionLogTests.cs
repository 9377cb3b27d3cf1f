using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class DecisionLogTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_keeps_what_changed_and_not_what_was_said_again_with_other_numbers()
    {
        var log = new DecisionLog();

        log.Add(Noon, Decision(1, "idle for 1 s: keep 1")).ShouldBeTrue();
        log.Add(Noon.AddSeconds(1), Decision(1, "idle for 2.5 s: keep 1")).ShouldBeFalse();
        log.Add(Noon.AddSeconds(2), Decision(2, "idle for 3 s: keep 2")).ShouldBeTrue();
        log.Add(Noon.AddSeconds(3), Decision(2, "busy: keep 2")).ShouldBeTrue();

        log.Latest().Select(d => d.Decision.Reason).ShouldBe(["busy: keep 2", "idle for 3 s: keep 2", "idle for 1 s: keep 1"]);
        log.Latest()[^1].Time.ShouldBe(Noon);
        log.Target.ShouldBe(2);
    }

    [Fact]
    public void Pools_are_told_apart_and_their_targets_add_up()
    {
        var log = new DecisionLog();
        foreach (var second in (int[])[0, 1, 2])
        {
            log.Add(Noon.AddSeconds(second), Decision(1, "keep 1") with { Pool = "gpu" });
            log.Add(Noon.AddSeconds(second), Decision(3, "keep 3") with { Pool = "cpu" });
        }

        log.Latest().Select(d => d.Decision.Pool).ShouldBe(["cpu", "gpu"]);
        log.Target.ShouldBe(4);
    }

    [Fact]
    public void What_does_something_is_kept_however_often()
    {
        var log = new DecisionLog();
        for (var i = 0; i < 3; i++)
            log.Add(Noon, Decision(1, "replace") with { Launch = 1 });
        log.Add(Noon, Decision(1, "let go") with { Drain = ["a"] });
        log.Add(Noon, Decision(1, "let go") with { CancelDrain = ["a"] });

        log.Latest().Count.ShouldBe(5);
    }

    [Fact]
    public void It_is_bounded_and_drops_the_oldest()
    {
        var log = new DecisionLog();
        for (var i = 0; i < 25_000; i++)
            log.Add(Noon, Decision(i, "so"));

        log.Latest().Count.ShouldBe(10_000);
        log.Latest()[0].Decision.Target.ShouldBe(24_999);
        log.Latest()[^1].Decision.Target.ShouldBe(15_000);
    }

    [Fact]
    public void It_is_read_page_by_page()
    {
        var log = new DecisionLog();
        for (var i = 1; i <= 5; i++)
            log.Add(Noon, Decision(i, "so"));

        log.Latest(2).Select(d => d.Id).ShouldBe([5, 4]);
        log.Latest(2, after: 4).Select(d => d.Id).ShouldBe([3, 2]);
        log.Latest(2, after: 2).Select(d => d.Id).ShouldBe([1]);
        log.Latest(2, after: 1).ShouldBeEmpty();
        log.Latest(2, after: 1000).Select(d => d.Id).ShouldBe([5, 4]);
    }

    [Fact]
    public void It_goes_on_from_an_earlier_one_whose_last_word_need_not_be_true_any_more()
    {
        var kept = new List<LoggedDecision>();
        var log = new DecisionLog([new(6, Noon, Decision(2, "two")), new(7, Noon, Decision(1, "one"))], kept.Add);
        log.Target.ShouldBe(0);

        log.Add(Noon, Decision(1, "one")).ShouldBeTrue();

        kept.Select(d => d.Id).ShouldBe([8]);
        log.Latest().Select(d => d.Id).ShouldBe([8, 7, 6]);
    }

    private static ScaleDecision Decision(int target, string reason) => new(target, 0, [], [], reason);
}
