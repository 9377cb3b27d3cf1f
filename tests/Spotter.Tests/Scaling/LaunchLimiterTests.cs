using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class LaunchLimiterTests
{
    private readonly LaunchLimiter brake = new();
    private readonly List<WorkerView> workers = [];
    private TimeSpan now;
    private FleetHealth health;
    private long served;

    [Fact]
    public void While_all_is_well_a_decision_stays_as_it_is()
    {
        var wanted = Grow(5);
        Apply(wanted).ShouldBeSameAs(wanted);
        brake.Alarm.ShouldBeNull();
    }

    [Fact]
    public void Nobody_goes_while_the_backlog_is_unknown_and_after_two_minutes_nobody_comes()
    {
        Have(WorkerState.Idle, WorkerState.Idle);
        var held = Apply(new ScaleDecision(1, 0, ["w0"], [], "shrink"), queued: null);
        held.Drain.ShouldBeEmpty();
        held.Target.ShouldBe(2);
        Apply(Grow(2), queued: null).Launch.ShouldBe(2);

        now += TimeSpan.FromSeconds(121);
        var frozen = Apply(Grow(2), queued: null);
        (frozen.Launch, frozen.Target).ShouldBe((0, 2));
        frozen.Clamp.ShouldNotBeNull().ShouldContain("unknown");

        Apply(Grow(2)).Launch.ShouldBe(2);
    }

    [Fact]
    public void After_three_failed_boots_one_is_tried_after_15_seconds_and_then_ever_more_seldom()
    {
        health = new(0, 2);
        Apply(Grow(4)).Launch.ShouldBe(4);

        health = new(0, 3);
        Apply(Grow(4)).Launch.ShouldBe(0);
        brake.Alarm.ShouldNotBeNull().ShouldContain("3 workers in a row");
        now += TimeSpan.FromSeconds(15);
        Apply(Grow(4)).Launch.ShouldBe(1);
        Have(WorkerState.Booting);
        Apply(Grow(4)).Launch.ShouldBe(0, "one is being tried");

        workers.Clear();
        health = new(0, 4);
        Apply(Grow(4)).Launch.ShouldBe(0);
        now += TimeSpan.FromSeconds(29);
        Apply(Grow(4)).Launch.ShouldBe(0);
        now += TimeSpan.FromSeconds(1);
        Apply(Grow(4)).Launch.ShouldBe(1);

        health = new(0, 40);
        Apply(Grow(4)).Launch.ShouldBe(0);
        now += TimeSpan.FromMinutes(10);
        Apply(Grow(4)).Launch.ShouldBe(1);

        health = new(0, 0);
        Apply(Grow(4)).Launch.ShouldBe(4);
        brake.Alarm.ShouldBeNull();
    }

    [Fact]
    public void In_a_crash_loop_the_count_is_held_whatever_waits()
    {
        Have(WorkerState.Busy, WorkerState.Busy);
        Apply(Keep());
        health = new(4, 0);
        workers.RemoveAt(1);

        var held = Apply(Grow(10), queued: 1000);

        // The one that died is replaced, and no more.
        (held.Launch, held.Target).ShouldBe((1, 2));
        held.Clamp.ShouldNotBeNull().ShouldContain("held at 2");
        brake.Alarm.ShouldNotBeNull().ShouldContain("4 workers died");
    }

    [Fact]
    public void A_fleet_of_none_is_held_at_one_so_that_it_can_prove_itself()
    {
        Apply(Keep());
        health = new(4, 0);
        Apply(Grow(10)).Launch.ShouldBe(1);
    }

    [Fact]
    public void A_crash_loop_is_over_when_an_hour_has_passed_or_enough_jobs_went_well()
    {
        Have(WorkerState.Busy);
        Apply(Keep());
        health = new(5, 0);
        Apply(Grow(3)).Launch.ShouldBe(0);

        served = 300;
        Apply(Grow(3)).Launch.ShouldBe(3);

        Apply(Keep());
        health = new(8, 0);
        Apply(Grow(3)).Launch.ShouldBe(0);
        for (var minute = 0; minute < 61; minute++)
        {
            now += TimeSpan.FromMinutes(1);
            Apply(Keep());
        }
        Apply(Grow(3)).Launch.ShouldBe(3);
    }

    [Fact]
    public void A_large_fleet_may_lose_three_workers_in_each_worker_hour()
    {
        Have([.. Enumerable.Repeat(WorkerState.Busy, 10)]);
        for (var minute = 0; minute <= 60; minute++)
        {
            Apply(Keep());
            now += TimeSpan.FromMinutes(1);
        }
        health = new(29, 0);
        Apply(Grow(1)).Launch.ShouldBe(1);
        Apply(Keep());
        health = new(31, 0);
        Apply(Grow(1)).Launch.ShouldBe(0);
    }

    [Fact]
    public void No_more_than_32_are_launched_at_once_and_those_that_drain_are_kept_first()
    {
        var decision = Apply(new ScaleDecision(60, 58, [], ["a", "b"], "grow"));

        decision.CancelDrain.ShouldBe(["a", "b"]);
        decision.Launch.ShouldBe(30);
    }

    private void Have(params WorkerState[] states)
    {
        workers.Clear();
        workers.AddRange(states.Select((state, i) => new WorkerView($"w{i}", state, now, now)));
    }

    private ScaleDecision Grow(int by) => new(workers.Count + by, by, [], [], "grow");

    private ScaleDecision Keep() => new(workers.Count, 0, [], [], "keep");

    private ScaleDecision Apply(ScaleDecision wanted, int? queued = 1) => brake.Apply(
        new ScaleObservation { Time = now, Queued = queued, Running = queued, Workers = [.. workers] }, wanted, health, served);
}
