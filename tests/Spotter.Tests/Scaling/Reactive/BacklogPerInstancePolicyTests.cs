using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Reactive;
using static Spotter.Jobs.WorkerState;
using static Spotter.Tests.Scaling.Reactive.Seen;

namespace Spotter.Tests.Scaling.Reactive;

public sealed class BacklogPerInstancePolicyTests
{
    [Theory]
    [InlineData(100, 0, 99)]
    [InlineData(0, 0, 0)]
    [InlineData(100, 2, 50)]
    [InlineData(50, 2, 25)]
    [InlineData(100, 5, 20)]
    [InlineData(100, 10, 10)]
    [InlineData(0, 7, 0)]
    public void The_metric_is_the_waiting_jobs_per_worker(int queued, int workers, double metric) =>
        BacklogPerInstancePolicy.Metric(queued, workers).ShouldBe(metric);

    [Fact]
    public void With_1500_jobs_10_workers_and_a_target_of_100_there_are_15_after_three_datapoints()
    {
        var policy = New(new() { Target = 100 });

        var decisions = Hold(policy, minutes: 4, queued: 1500, Workers(10, Busy));

        var (time, decision) = decisions.First(d => d.Decision.Launch > 0);
        (decision.Target, decision.Launch).ShouldBe((15, 5));
        time.ShouldBe(150); // the sixth sample, every 30 s from the first on
    }

    [Theory]
    [InlineData(100, 10)]
    [InlineData(95, 10)]
    public void At_or_a_little_below_the_target_nothing_moves(int queued, int workers)
    {
        var decisions = Hold(New(new()), minutes: 60, queued, Workers(workers, Busy));

        decisions.ShouldAllBe(d => d.Decision.Launch == 0 && d.Decision.Drain.Count == 0);
    }

    [Fact]
    public void A_quarter_of_an_hour_below_nine_tenths_of_the_target_removes_the_rest_at_once()
    {
        var decisions = Hold(New(new()), minutes: 20, queued: 20, Workers(10, Busy));

        var (time, decision) = decisions.First(d => d.Decision.Drain.Count > 0);
        decision.Target.ShouldBe(2); // 10 x 2 / 10
        time.ShouldBe(870);
    }

    [Fact]
    public void Or_one_at_a_time()
    {
        var decisions = Hold(New(new() { MostIn = 1 }), minutes: 20, queued: 20, Workers(10, Busy));

        decisions.First(d => d.Decision.Drain.Count > 0).Decision.Target.ShouldBe(9);
    }

    [Fact]
    public void From_zero_two_datapoints_with_a_backlog_start_one_worker_and_the_next_only_after_a_rest()
    {
        var decisions = Hold(New(new()), minutes: 12, queued: 30);

        decisions.Where(d => d.Decision.Launch > 0).Select(d => (d.Time, d.Decision.Launch)).ShouldBe([(90, 1), (390, 1), (690, 1)]);
    }

    [Fact]
    public void To_zero_again_when_nothing_waits()
    {
        var policy = New(new());
        var decision = Hold(policy, minutes: 20, queued: 0, Workers(1, Idle)).First(d => d.Decision.Drain.Count > 0).Decision;

        decision.Target.ShouldBe(0);
        decision.Reason.ShouldContain("1 -> 0");
    }

    [Fact]
    public void Datapoints_may_be_ten_seconds_apart()
    {
        var policy = New(new() { Sampling = TimeSpan.FromSeconds(5), Period = TimeSpan.FromSeconds(10) });

        Hold(policy, minutes: 2, queued: 200, Workers(10, Busy)).First(d => d.Decision.Launch > 0).Time.ShouldBe(25);
    }

    [Fact]
    public void The_limits_hold_whatever_the_metric_says()
    {
        var decisions = Hold(New(new(), max: 12), minutes: 5, queued: 100_000, Workers(10, Busy));

        var decision = decisions.First(d => d.Decision.Launch > 0).Decision;
        (decision.Target, decision.Launch, decision.Clamp).ShouldBe((12, 2, "max 12"));
        New(new(), min: 2).Decide(At(0, 0, 0)).Launch.ShouldBe(2);
    }

    [Fact]
    public void An_unknown_backlog_holds_the_fleet()
    {
        var decision = New(new()).Decide(At(0, null, null, Workers(3, Idle)));

        (decision.Target, decision.Launch, decision.Drain.Count).ShouldBe((3, 0, 0));
    }

    private static BacklogPerInstancePolicy New(TargetTrackingRule rule, int max = 20, int min = 0) => new(new ScaleSettings { Min = min, Max = max }, rule);

    private static List<(double Time, ScaleDecision Decision)> Hold(ScalePolicy policy, int minutes, int queued, params IEnumerable<WorkerView>[] workers) =>
        [.. Enumerable.Range(0, minutes * 60).Select(second => ((double)second, policy.Decide(At(second, queued, 0, workers))))];
}
