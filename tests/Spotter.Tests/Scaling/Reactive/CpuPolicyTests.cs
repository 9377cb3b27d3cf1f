using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Reactive;
using static Spotter.Jobs.WorkerState;
using static Spotter.Tests.Scaling.Reactive.Seen;

namespace Spotter.Tests.Scaling.Reactive;

public sealed class CpuPolicyTests
{
    [Fact]
    public void Three_minutes_above_half_of_the_processors_let_the_fleet_grow_to_its_limit_of_two()
    {
        var decisions = Hold(0.9, minutes: 5, max: 2, Workers(1, Busy));

        var (time, decision) = decisions.First(d => d.Decision.Launch > 0);
        (decision.Target, decision.Launch).ShouldBe((2, 1));
        time.ShouldBeInRange(150, 190);
        decision.Reason.ShouldContain("90");
    }

    [Fact]
    public void A_quarter_of_an_hour_below_lets_it_shrink()
    {
        var (time, decision) = Hold(0.1, minutes: 20, max: 2, Workers(2, Idle)).First(d => d.Decision.Drain.Count > 0);

        decision.Target.ShouldBe(1); // 2 x 10 / 50
        time.ShouldBeInRange(870, 910);
    }

    [Theory]
    [InlineData(10, 0.6, 10)]
    [InlineData(5, 0.9, 8)]
    public void A_pod_autoscaler_at_60_per_cent_stays_between_1_and_10(int workers, double load, int wanted)
    {
        var policy = new CpuPolicy(new ScaleSettings { Min = 1, Max = 10 }, CpuPolicy.Default with { Target = 60 });
        var targets = Enumerable.Range(0, 300).Select(second => policy.Decide(
            At(second, 0, workers, Workers(workers, Busy)) with { CpuLoad = load }).Target);

        targets.Max().ShouldBe(wanted);
    }

    [Fact]
    public void Without_a_worker_there_is_no_load_but_a_backlog_starts_the_first_one()
    {
        var policy = new CpuPolicy(new ScaleSettings { Max = 2 });
        var launches = Enumerable.Range(0, 150).Select(second => policy.Decide(At(second, 5, 0)).Launch).ToList();

        launches.Sum().ShouldBe(1);
    }

    [Fact]
    public void A_load_that_is_unknown_moves_nothing()
    {
        var policy = new CpuPolicy(new ScaleSettings { Max = 2 });

        for (var second = 0; second < 2000; second++)
        {
            var decision = policy.Decide(At(second, 0, 0, Workers(1, Idle)));
            (decision.Target, decision.Drain.Count).ShouldBe((1, 0));
        }
    }

    private static List<(double Time, ScaleDecision Decision)> Hold(double load, int minutes, int max, params IEnumerable<WorkerView>[] workers)
    {
        var policy = new CpuPolicy(new ScaleSettings { Max = max });
        return [.. Enumerable.Range(0, minutes * 60).Select(second => ((double)second, policy.Decide(At(second, 0, 0, workers) with { CpuLoad = load })))];
    }
}
