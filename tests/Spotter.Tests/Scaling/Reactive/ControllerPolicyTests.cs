using Spotter.Scaling;
using Spotter.Scaling.Reactive;
using static Spotter.Jobs.WorkerState;
using static Spotter.Tests.Scaling.Reactive.Seen;

namespace Spotter.Tests.Scaling.Reactive;

public sealed class ControllerPolicyTests
{
    private static readonly ScaleSettings Twenty = new() { Max = 20 };

    [Fact]
    public void A_burst_of_110_launches_exactly_20()
    {
        var decision = Decide(At(0, 110, 0));

        (decision.Target, decision.Launch, decision.Clamp).ShouldBe((20, 20, "max 20"));
    }

    [Fact]
    public void With_20_active_and_18_jobs_2_are_asked_to_terminate_and_none_of_them_is_in_the_middle_of_a_job()
    {
        var decision = Decide(At(0, 0, 18, Workers(18, Busy), Workers(2, Idle)));

        (decision.Target, decision.Launch).ShouldBe((18, 0));
        decision.Drain.ShouldBe(["Idle1", "Idle2"]);
    }

    [Fact]
    public void More_active_workers_than_jobs_means_that_enough_of_them_have_none()
    {
        for (var busy = 0; busy <= 20; busy++)
        {
            for (var waiting = 0; waiting + busy <= 20; waiting++)
            {
                var decision = Decide(At(0, waiting, busy, Workers(busy, Busy), Workers(20 - busy, Idle)));

                decision.Drain.ShouldAllBe(id => id.StartsWith("Idle", StringComparison.Ordinal));
                decision.Target.ShouldBe(waiting + busy);
            }
        }
    }

    [Fact]
    public void Of_5_terminations_exactly_3_are_cancelled_when_3_jobs_come_and_2_die()
    {
        // 10 run, 5 of them terminating: 5 active with 5 jobs, and 3 more.
        var decision = Decide(At(0, 3, 5, Workers(5, Busy), Workers(5, Draining)));

        decision.CancelDrain.Count.ShouldBe(3);
        (decision.Target, decision.Launch).ShouldBe((8, 0));
        decision.Drain.ShouldBeEmpty();
    }

    [Fact]
    public void All_5_terminations_are_cancelled_and_2_workers_launched_when_7_jobs_come()
    {
        var decision = Decide(At(0, 7, 5, Workers(5, Busy), Workers(5, Draining)));

        decision.CancelDrain.Count.ShouldBe(5);
        (decision.Target, decision.Launch).ShouldBe((12, 2));
    }

    [Fact]
    public void The_latest_terminations_are_cancelled_first_since_they_are_the_likeliest_to_be_still_there() =>
        Decide(At(0, 2, 5, Workers(5, Busy), Workers(5, Draining))).CancelDrain.ShouldBe(["Draining5", "Draining4"]);

    [Fact]
    public void Without_jobs_the_last_worker_goes_too() => Decide(At(0, 0, 0, Workers(1, Idle))).Drain.ShouldBe(["Idle1"]);

    [Fact]
    public void Whoever_terminates_has_its_place_until_it_is_gone_and_then_it_is_free_again()
    {
        for (var terminating = 0; terminating <= 8; terminating++)
        {
            var decision = Decide(At(0, 40, 12, Workers(12, Busy), Workers(terminating, Draining)));

            decision.CancelDrain.Count.ShouldBe(terminating);
            decision.Launch.ShouldBe(8 - terminating);
        }
    }

    [Fact]
    public void The_place_of_a_launch_that_failed_is_free_again()
    {
        var policy = new ControllerPolicy(Twenty);
        policy.Decide(At(0, 3, 0)).Launch.ShouldBe(3);

        // One of the three never came to be.
        policy.Decide(At(10, 3, 0, Workers(2, Booting))).Launch.ShouldBe(1);
    }

    [Fact]
    public void A_controller_that_starts_anew_goes_on_where_the_old_one_was()
    {
        var old = new ControllerPolicy(Twenty);
        old.Decide(At(0, 0, 5, Workers(5, Busy), Workers(5, Idle)));
        var seen = At(10, 7, 5, Workers(5, Busy), Workers(5, Draining));

        var (before, after) = (old.Decide(seen), Decide(seen));
        (after.Target, after.Launch).ShouldBe((before.Target, before.Launch));
        after.CancelDrain.ShouldBe(before.CancelDrain);
        after.Drain.ShouldBe(before.Drain);
    }

    [Fact]
    public void It_looks_every_ten_seconds_however_often_it_is_asked()
    {
        var policy = new ControllerPolicy(Twenty);
        List<double> looks = [];
        for (var second = 0; second <= 30; second++)
        {
            if (policy.Decide(At(second, 5, 0)).Launch > 0)
                looks.Add(second);
        }
        looks.ShouldBe([0, 10, 20, 30]);
    }

    [Fact]
    public void An_unknown_backlog_holds_the_fleet_and_costs_no_look()
    {
        var policy = new ControllerPolicy(Twenty);
        var blind = policy.Decide(At(0, null, 0, Workers(3, Idle)));

        (blind.Target, blind.Launch).ShouldBe((3, 0));
        blind.Drain.ShouldBeEmpty();
        policy.Decide(At(1, 0, 0, Workers(3, Idle))).Drain.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(2, 5, 3)]
    [InlineData(4, 5, 2)]
    public void Workers_with_several_lanes_are_needed_less(int lanes, int jobs, int workers) =>
        new ControllerPolicy(Twenty with { Lanes = lanes }).Decide(At(0, jobs, 0)).Launch.ShouldBe(workers);

    private static ScaleDecision Decide(ScaleObservation seen) => new ControllerPolicy(Twenty).Decide(seen);
}
