using Spotter.Jobs;

namespace Spotter.Tests.Scaling;

public sealed class WorkerRosterTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void A_worker_is_busy_from_its_first_job_to_its_last()
    {
        var roster = Joined("a");
        clock.Advance(TimeSpan.FromSeconds(5));
        roster.Took("a");
        clock.Advance(TimeSpan.FromSeconds(2));
        roster.Took("a");
        clock.Advance(TimeSpan.FromSeconds(2));
        roster.Ended("a");

        // The second job did not make it newly busy.
        roster.List().ShouldBe([new WorkerView("a", WorkerState.Busy, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(4))]);

        roster.Ended("a");
        clock.Advance(TimeSpan.FromSeconds(1));
        roster.List().ShouldBe([new WorkerView("a", WorkerState.Idle, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1))]);
    }

    [Fact]
    public void A_worker_loads_until_it_has_its_first_model_and_has_no_lanes_until_then()
    {
        var roster = new WorkerRoster(clock);
        roster.Join("a", 2, [Loading("m"), Loading("n")]);
        clock.Advance(TimeSpan.FromSeconds(5));
        roster.Join("b", 1, [Loading("m")]);
        clock.Advance(TimeSpan.FromSeconds(4));
        (roster.List()[0].State, roster.List()[0].IsBooting, roster.Lanes, roster.ReadyFor("a")).ShouldBe((WorkerState.Loading, true, 0, null));
        roster.LoadingOf("m").ShouldBe((2, TimeSpan.FromSeconds(9)));
        roster.LoadingBy("a").ShouldBe([("m", TimeSpan.FromSeconds(9)), ("n", TimeSpan.FromSeconds(9))], ignoreOrder: true);
        (roster.HasModel("m"), roster.Loads.Of("m")).ShouldBe((false, null));

        roster.Tell("a", [new WorkerModel("m", "v1"), Loading("n")]);
        clock.Advance(TimeSpan.FromSeconds(1));

        roster.List()[0].ShouldBe(new WorkerView("a", WorkerState.Idle, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1)));
        (roster.HasModel("m"), roster.Lanes, roster.ReadyFor("a"), roster.Loads.Of("m")).ShouldBe((true, 2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(9)));
        roster.LoadingOf("m").ShouldBe((1, TimeSpan.FromSeconds(5)), "the other one still does");
        roster.LoadingOf("n").ShouldBe((1, TimeSpan.FromSeconds(10)));
        // Another model, or a new version of the first, keeps nobody from working.
        roster.Tell("a", [new WorkerModel("m", "v1") { IsLoading = true }, Loading("n")]);
        roster.List()[0].State.ShouldBe(WorkerState.Idle);
    }

    [Fact]
    public void A_worker_that_took_a_job_loads_no_more_whatever_was_last_heard_of_its_models()
    {
        var roster = new WorkerRoster(clock);
        roster.Join("a", 1, [Loading("m")]);
        roster.Took("a");
        roster.Ended("a");

        (roster.List()[0].State, roster.ReadyFor("a")).ShouldBe((WorkerState.Idle, TimeSpan.Zero));
    }

    [Fact]
    public void A_lane_is_free_with_somebody_else_who_is_ready_and_has_the_model()
    {
        var roster = new WorkerRoster(clock);
        roster.Join("busy", 1, [new WorkerModel("m", "v1")]);
        roster.HasFreeLane("busy", ["m"]).ShouldBeFalse("there is nobody else");
        roster.Join("other", 1, [new WorkerModel("n", "v1"), Loading("m")]);
        (roster.HasFreeLane("busy", ["m"]), roster.HasFreeLane("busy", ["n"]), roster.HasFreeLane("busy", [])).ShouldBe((false, true, true));
        roster.Tell("other", [new WorkerModel("m", "v1")]);
        roster.HasFreeLane("busy", ["m"]).ShouldBeTrue();

        roster.Took("other");
        roster.HasFreeLane("busy", ["m"]).ShouldBeFalse();
        roster.Ended("other");
        roster.Drain("other", drain: true);
        roster.HasFreeLane("busy", ["m"]).ShouldBeFalse();
    }

    [Fact]
    public void What_only_waits_for_its_turn_to_be_loaded_is_not_late()
    {
        var roster = new WorkerRoster(clock);
        var next = Loading("m") with { IsNext = true };
        roster.Join("a", 1, [Loading("slow"), next]);
        clock.Advance(TimeSpan.FromMinutes(9));
        roster.LoadingBy("a").ShouldBe([("slow", TimeSpan.FromMinutes(9))]);
        roster.LoadingOf("m").ShouldBe((1, TimeSpan.Zero));
        roster.Tell("a", [Loading("slow"), Loading("m")]);
        clock.Advance(TimeSpan.FromSeconds(3));
        roster.Tell("a", [Loading("slow"), new WorkerModel("m", "v1")]);

        roster.Loads.Of("m").ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void A_job_that_needs_no_model_makes_no_worker_ready()
    {
        var roster = new WorkerRoster(clock);
        roster.Join("a", 1, [Loading("m")]);
        roster.Took("a", withModel: false);
        roster.Ended("a");

        (roster.List()[0].State, roster.Lanes).ShouldBe((WorkerState.Loading, 0));
    }

    [Fact]
    public void A_worker_whose_models_can_not_be_loaded_loads_no_more()
    {
        var roster = new WorkerRoster(clock);
        roster.Join("a", 1, [Loading("m")]);
        roster.Tell("a", [new WorkerModel("m", null) { Error = new JobError("model_invalid", "It is none.") }]);

        (roster.List()[0].State, roster.LoadingOf("m").Workers, roster.Loads.Of("m")).ShouldBe((WorkerState.Idle, 0, null));
    }

    [Fact]
    public void A_load_that_was_seen_is_waited_for_ten_times_as_long_within_bounds()
    {
        var loads = new LoadTimes();
        loads.PatienceFor("m").ShouldBe(TimeSpan.FromMinutes(10));
        foreach (var (took, patience) in ((double, double)[])[(0.1, 60), (30, 300), (100_000, 7200)])
        {
            loads.Note("m", TimeSpan.FromSeconds(took));
            (loads.Of("m"), loads.PatienceFor("m")).ShouldBe((TimeSpan.FromSeconds(took), TimeSpan.FromSeconds(patience)));
        }
        loads.PatienceFor("other").ShouldBe(TimeSpan.FromMinutes(10));
    }

    [Fact]
    public void A_sign_of_life_puts_the_count_right()
    {
        var roster = Joined("a");
        roster.Took("a");
        roster.Took("a");
        roster.Heartbeat("a", 0);
        roster.List()[0].State.ShouldBe(WorkerState.Idle);

        roster.Ended("a");
        roster.Took("a");
        roster.List()[0].State.ShouldBe(WorkerState.Busy);
    }

    [Fact]
    public void Who_is_silent_is_forgotten_and_who_is_not_stays()
    {
        var roster = Joined("silent", "alive", "working");
        clock.Advance(TimeSpan.FromSeconds(20));
        roster.Heartbeat("alive", 0);
        roster.Took("working");
        clock.Advance(TimeSpan.FromSeconds(11));

        roster.Forget(TimeSpan.FromSeconds(30)).ShouldBe(["silent"]);
        roster.List().Select(w => w.Id).ShouldBe(["alive", "working"]);
        roster.Has("silent").ShouldBeFalse();
    }

    [Fact]
    public void Who_is_not_there_can_be_spoken_of_without_harm()
    {
        var roster = Joined();
        roster.Took("x");
        roster.Ended("x");
        roster.Heartbeat("x", 3);
        roster.Drain("x", drain: true);

        roster.IsDraining("x").ShouldBeFalse();
        roster.Leave("x").ShouldBeFalse();
        roster.List().ShouldBeEmpty();
    }

    [Fact]
    public void Draining_ones_count_no_lanes()
    {
        var roster = Joined("a", "b");
        roster.Lanes.ShouldBe(4);
        roster.Drain("a", drain: true);
        roster.Lanes.ShouldBe(2);
        roster.List()[0].State.ShouldBe(WorkerState.Draining);
        roster.Drain("a", drain: false);
        roster.Lanes.ShouldBe(4);
        roster.Models.Select(m => (m.Worker, m.Model.Id)).ShouldBe([("a", "n"), ("a", "m"), ("b", "n"), ("b", "m")]);
    }

    [Fact]
    public void News_of_a_workers_models_are_told_once()
    {
        var roster = Joined("a");
        var changed = roster.ModelsChanged("a");
        roster.Tell("a", [new("n", "1"), new("m", "1")]);
        changed.IsCancellationRequested.ShouldBeFalse("that was known");

        roster.Tell("a", [new("n", "2")]);

        changed.IsCancellationRequested.ShouldBeTrue();
        roster.ModelsChanged("a").IsCancellationRequested.ShouldBeFalse();
        (roster.HasModel("n"), roster.HasModel("m")).ShouldBe((true, false));
        roster.ModelsChanged("nobody").IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Orders_are_numbered_and_a_drain_can_be_taken_back_until_the_worker_has_left()
    {
        var roster = Joined("a");
        roster.OrderOf("a").ShouldBe((false, 0));
        roster.LeaveIfDraining("a").ShouldBeFalse("nobody told it to");

        roster.Drain("a", drain: true).ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(3));
        roster.List().ShouldBe([new WorkerView("a", WorkerState.Draining, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3))]);
        roster.Drain("a", drain: false).ShouldBe(2);
        roster.LeaveIfDraining("a").ShouldBeFalse("it is to stay after all");
        roster.Drain("a", drain: true).ShouldBe(3);
        roster.OrderOf("a").ShouldBe((true, 3));
        roster.LeaveIfDraining("a").ShouldBeTrue();

        roster.Has("a").ShouldBeFalse();
        roster.Drain("a", drain: false).ShouldBeNull("it is too late");
        roster.LeaveIfDraining("a").ShouldBeTrue("it has left already");
    }

    [Fact]
    public void The_next_job_is_for_who_works_already_then_for_who_worked_last_and_never_for_the_full_before_the_idle()
    {
        var roster = Joined("full", "working", "rested", "fresh", "overfull");
        clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var (worker, jobs) in new[] { ("full", 2), ("working", 1), ("overfull", 3), ("fresh", 1) })
        {
            for (var i = 0; i < jobs; i++)
                roster.Took(worker);
        }
        roster.Ended("fresh");

        string[] names = ["full", "overfull", "rested", "fresh", "working", "nobody"];
        names.OrderByDescending(roster.RankOf).ShouldBe(["working", "fresh", "rested", "full", "overfull", "nobody"]);
        roster.Drain("working", drain: true);
        names.MaxBy(roster.RankOf).ShouldBe("fresh");
    }

    [Fact]
    public void Who_joins_again_is_given_orders_that_are_newer_than_those_it_knows()
    {
        var roster = Joined();
        roster.Join("a", 1, [], order: 41);
        roster.Drain("a", drain: true).ShouldBe(42);
    }

    [Fact]
    public void Load_is_the_share_of_the_lanes_processors_between_two_signs_of_life()
    {
        var roster = Joined("a", "b", "c");
        roster.CpuLoad.ShouldBeNull();
        roster.Heartbeat("a", 0, TimeSpan.FromSeconds(100));
        roster.Heartbeat("b", 0, TimeSpan.FromSeconds(1));
        roster.Heartbeat("c", 0);
        roster.CpuLoad.ShouldBeNull("once says nothing");

        clock.Advance(TimeSpan.FromSeconds(5));
        roster.Heartbeat("a", 0, TimeSpan.FromSeconds(110));
        roster.Heartbeat("b", 0, TimeSpan.FromSeconds(3.5));

        // Two lanes each: 10 of 10 and 2.5 of 10 processor-seconds.
        roster.CpuLoad.ShouldNotBeNull().ShouldBe(0.625, 1e-9);
        roster.CpuLoadOf(worker => worker is "b" or "c").ShouldNotBeNull().ShouldBe(0.25, 1e-9);
        roster.CpuLoadOf(worker => worker == "c").ShouldBeNull();
        roster.Drain("a", drain: true);
        roster.CpuLoad.ShouldNotBeNull().ShouldBe(0.25, 1e-9);
    }

    [Fact]
    public void A_sign_of_life_counts_while_the_store_says_nothing_of_the_leases()
    {
        var roster = Joined("a", "b");
        clock.Advance(TimeSpan.FromSeconds(20));
        roster.Progressed("a", []);
        clock.Advance(TimeSpan.FromSeconds(20));

        roster.Forget(TimeSpan.FromSeconds(30));

        (roster.Has("a"), roster.Has("b")).ShouldBe((true, false));
    }

    [Fact]
    public void A_worker_runs_alone_as_long_as_it_has_the_job_that_does()
    {
        var roster = Joined("a");
        roster.Took("a", alone: true);
        roster.RunsAlone("a").ShouldBeTrue();
        roster.Ended("a");
        roster.RunsAlone("a").ShouldBeFalse();
        roster.Took("a");
        roster.RunsAlone("a").ShouldBeFalse();
    }

    private WorkerRoster Joined(params string[] names)
    {
        var roster = new WorkerRoster(clock);
        foreach (var name in names)
            roster.Join(name, 2, [new("n", "1"), new("m", "1")]);
        return roster;
    }

    private static WorkerModel Loading(string id) => new(id, null) { IsLoading = true };
}
