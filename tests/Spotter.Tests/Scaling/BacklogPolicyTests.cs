using FsCheck;
using FsCheck.Fluent;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;

namespace Spotter.Tests.Scaling;

public sealed class BacklogPolicyTests
{
    private static readonly ScaleSettings Limits = new() { Min = 0, Max = 4, Lanes = 2, Linger = TimeSpan.FromSeconds(30) };

    [Theory]
    [InlineData(null, 3)]
    [InlineData(3, null)]
    public void An_unknown_backlog_holds_the_fleet(int? queued, int? running)
    {
        var decision = Decide(queued, running, View("a", WorkerState.Idle, 3600), View("b", WorkerState.Draining, 5));

        (decision.Target, decision.Launch).ShouldBe((1, 0));
        decision.Drain.ShouldBeEmpty();
        decision.CancelDrain.ShouldBeEmpty();
        decision.Reason.ShouldContain("unknown");
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 0, 1)]
    [InlineData(2, 0, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(7, 0, 4)]
    [InlineData(1000, 1000, 4)]
    [InlineData(int.MaxValue, int.MaxValue, 4)]
    public void It_grows_by_a_worker_for_each_full_set_of_lanes_up_to_the_limit(int queued, int running, int target)
    {
        var decision = Decide(queued, running);

        (decision.Target, decision.Launch).ShouldBe((target, target));
    }

    [Fact]
    public void The_least_number_of_workers_is_there_without_any_job() =>
        new BacklogPolicy(Limits with { Min = 2 }).Decide(Seen(0, 0)).Launch.ShouldBe(2);

    [Fact]
    public void Workers_that_boot_count_as_workers() =>
        Decide(4, 0, View("a", WorkerState.Booting, 1), View("b", WorkerState.Booting, 1)).Launch.ShouldBe(0);

    [Fact]
    public void The_longest_idle_go_first_and_only_after_lingering()
    {
        var decision = Decide(
            0, 1,
            View("busy", WorkerState.Busy, 900), View("fresh", WorkerState.Idle, 29), View("old", WorkerState.Idle, 300), View("older", WorkerState.Idle, 301));

        decision.Drain.ShouldBe(["older", "old"]);
        decision.Target.ShouldBe(2);
    }

    [Fact]
    public void Drains_are_taken_back_before_anything_is_launched_the_latest_first()
    {
        var decision = Decide(
            8, 0, View("a", WorkerState.Busy, 1), View("late", WorkerState.Draining, 1), View("early", WorkerState.Draining, 9));

        decision.CancelDrain.ShouldBe(["late", "early"]);
        (decision.Target, decision.Launch).ShouldBe((4, 1));
    }

    [Fact]
    public void A_decision_fits_what_was_seen_whatever_that_is() => Check.QuickThrowOnFailure(Prop.ForAll(
        Cases.ToArbitrary(),
        seen =>
        {
            var (settings, observation) = seen;
            var decision = new BacklogPolicy(settings).Decide(observation);
            var active = observation.Workers.Where(w => w.State != WorkerState.Draining).ToList();
            var states = observation.Workers.ToDictionary(w => w.Id, w => w.State, StringComparer.Ordinal);

            decision.Target.ShouldBe(active.Count + decision.Launch + decision.CancelDrain.Count - decision.Drain.Count);
            decision.Launch.ShouldBeGreaterThanOrEqualTo(0);
            decision.Drain.ShouldAllBe(id => states[id] == WorkerState.Idle);
            decision.CancelDrain.ShouldAllBe(id => states[id] == WorkerState.Draining);
            decision.Drain.Distinct(StringComparer.Ordinal).Count().ShouldBe(decision.Drain.Count);
            if (observation.Queued is null)
                decision.Target.ShouldBe(active.Count);
            else
                decision.Target.ShouldBeGreaterThanOrEqualTo(settings.Min);
            // More than the limit are only those that are there and can't be let go yet.
            decision.Target.ShouldBeLessThanOrEqualTo(Math.Max(settings.Max, active.Count));
            (decision.Launch > 0 && decision.Drain.Count > 0).ShouldBeFalse();
            new BacklogPolicy(settings).Decide(observation).Reason.ShouldBe(decision.Reason);
        }));

    private static readonly Gen<(ScaleSettings, ScaleObservation)> Cases =
        from min in Gen.Choose(0, 4)
        from more in Gen.Choose(0, 8)
        from lanes in Gen.Choose(0, 5)
        from linger in Gen.Choose(0, 60)
        from queued in Gen.OneOf(Gen.Choose(0, 40).Select(n => (int?)n), Gen.Constant((int?)null), Gen.Constant((int?)int.MaxValue))
        from running in Gen.Choose(0, 20)
        from workers in Gen.Choose(0, 10)
        from states in Gen.Elements(WorkerState.Booting, WorkerState.Idle, WorkerState.Busy, WorkerState.Draining).ListOf(workers)
        from ages in Gen.Choose(0, 120).ListOf(workers)
        select (
            new ScaleSettings { Min = min, Max = min + more, Lanes = lanes, Linger = TimeSpan.FromSeconds(linger) },
            Seen(queued, queued is null ? null : running, [.. states.Zip(ages).Select((s, i) => View($"w{i}", s.First, s.Second))]));

    private static ScaleDecision Decide(int? queued, int? running, params WorkerView[] workers) =>
        new BacklogPolicy(Limits).Decide(Seen(queued, running, workers));

    private static ScaleObservation Seen(int? queued, int? running, params WorkerView[] workers) =>
        new() { Time = TimeSpan.Zero, Queued = queued, Running = running, Workers = workers };

    private static WorkerView View(string id, WorkerState state, int seconds) =>
        new(id, state, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds));
}
