using Spotter.Scaling;
using Spotter.Scaling.Reactive;
using static Spotter.Jobs.WorkerState;
using static Spotter.Tests.Scaling.Reactive.Seen;

namespace Spotter.Tests.Scaling.Reactive;

public sealed class ListLengthPolicyTests
{
    private static readonly ScaleSettings Twenty = new() { Max = 20 };

    [Theory]
    [InlineData(1, 5, 1)]
    [InlineData(5, 5, 1)]
    [InlineData(6, 5, 2)]
    [InlineData(21, 5, 5)]
    [InlineData(10, 3, 4)]
    public void There_is_a_worker_for_each_full_or_begun_length_of_the_list(int waiting, int length, int workers) =>
        Decide(new() { Length = length }, At(0, waiting, 0, Workers(1, Busy))).Target.ShouldBe(workers);

    [Fact]
    public void The_first_worker_starts_with_the_first_job()
    {
        var policy = new ListLengthPolicy(Twenty, new() { SyncPhase = TimeSpan.FromSeconds(7) });
        policy.Decide(At(0, 0, 0)).Launch.ShouldBe(0);

        policy.Decide(At(1, 30, 0)).Launch.ShouldBe(1);
    }

    [Fact]
    public void It_grows_by_four_or_to_the_double_at_a_time()
    {
        Decide(new(), At(0, 1000, 0, Workers(1, Busy))).Target.ShouldBe(5);
        Decide(new(), At(0, 1000, 0, Workers(7, Busy))).Target.ShouldBe(14);
    }

    [Fact]
    public void A_length_that_is_near_enough_changes_nothing()
    {
        Decide(new(), At(0, 54, 0, Workers(10, Busy))).Target.ShouldBe(10);
        Decide(new(), At(0, 56, 0, Workers(10, Busy))).Target.ShouldBe(12);
    }

    [Fact]
    public void At_most_half_of_the_workers_go_at_a_time_and_only_after_60_seconds_without_need()
    {
        var fleet = 16;
        var policy = new ListLengthPolicy(Twenty);
        policy.Decide(At(0, 80, 0, Workers(fleet, Busy)));
        List<(double Time, int From, int To)> steps = [];
        for (var second = 1; second <= 200; second++)
        {
            // One job always waits, so that it is not the end of all.
            var decision = policy.Decide(At(second, 1, 0, Workers(fleet, Busy)));
            if (decision.Target != fleet)
                steps.Add((second, fleet, decision.Target));
            fleet = decision.Target;
        }

        steps[0].Time.ShouldBeGreaterThan(60);
        steps.ShouldAllBe(step => step.From - step.To <= step.From / 2);
        steps.Select(step => step.To).ShouldBe([8, 4, 2, 1]);
        // With two seconds between two looks at most half would go, too: they are further apart.
        steps.Zip(steps.Skip(1), (a, b) => b.Time - a.Time).ShouldAllBe(gap => gap >= 2);
    }

    [Fact]
    public void After_a_minute_without_a_waiting_job_all_go()
    {
        var policy = new ListLengthPolicy(Twenty);
        policy.Decide(At(0, 5, 0, Workers(1, Busy)));

        var end = Enumerable.Range(1, 100).First(second => policy.Decide(At(second, 0, 0, Workers(1, Idle))).Drain.Count > 0);
        end.ShouldBe(61);
    }

    [Fact]
    public void A_scaler_that_has_just_started_ends_nobody_for_what_it_did_not_see() =>
        Decide(new() { SyncPhase = TimeSpan.FromSeconds(7) }, At(0, 0, 3, Workers(3, Busy))).Drain.ShouldBeEmpty();

    [Fact]
    public void The_limits_hold()
    {
        new ListLengthPolicy(new ScaleSettings { Min = 8, Max = 8 }).Decide(At(0, 0, 0)).Launch.ShouldBe(8);
        new ListLengthPolicy(new ScaleSettings { Min = 8, Max = 8 }).Decide(At(0, 1000, 0, Workers(8, Busy))).Target.ShouldBe(8);
        Decide(new(), At(0, int.MaxValue, 0, Workers(15, Busy))).Target.ShouldBe(20);
    }

    [Fact]
    public void Drains_are_taken_back_before_anything_is_launched()
    {
        var decision = Decide(new(), At(0, 20, 0, Workers(2, Busy), Workers(1, Draining)));

        decision.CancelDrain.ShouldBe(["Draining1"]);
        (decision.Target, decision.Launch).ShouldBe((4, 1));
    }

    private static ScaleDecision Decide(ListLengthRule rule, ScaleObservation seen) => new ListLengthPolicy(Twenty, rule).Decide(seen);
}
