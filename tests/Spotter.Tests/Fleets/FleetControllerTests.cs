using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

/// <summary>The rules that all fleets share, on workers that are nothing but names.</summary>
public sealed class FleetControllerTests
{
    private readonly ManualClock clock = new();
    private readonly WorkerRoster roster;
    private readonly MemoryLauncher launcher;
    private readonly ScaleMeter meter = new();
    private readonly List<WorkerExit> exits = [];
    private readonly LogLines log = new();
    private LostLeases lost;
    private FleetController fleet;

    public FleetControllerTests()
    {
        roster = new WorkerRoster(clock);
        launcher = new MemoryLauncher(clock);
        fleet = NewController();
    }

    [Fact]
    public async Task Listing_changes_nothing_and_the_next_tick_does_what_is_due()
    {
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromMinutes(10));

        for (var i = 0; i < 3; i++)
            fleet.List().ShouldHaveSingleItem().State.ShouldBe(WorkerState.Booting);
        launcher.Stopped.ShouldBeEmpty();

        (await fleet.TendAsync(default)).ShouldBeEmpty();
        launcher.Stopped.ShouldBe(["w1"]);
        fleet.Health.ShouldBe(new FleetHealth(0, 1));
    }

    [Fact]
    public async Task Patience_with_boots_doubles_each_time_up_to_ten_minutes()
    {
        foreach (var seconds in (int[])[60, 120, 240, 480, 600, 600])
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            (await fleet.LaunchAsync(1, default)).ShouldBe(1);
            clock.Advance(TimeSpan.FromSeconds(seconds));
            (await fleet.TendAsync(default)).ShouldHaveSingleItem();
            clock.Advance(TimeSpan.FromSeconds(1));
            (await fleet.TendAsync(default)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task One_that_loads_its_first_model_has_the_time_that_this_takes_and_that_is_how_long_it_booted()
    {
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromSeconds(1));
        roster.Join("w1", 1, [Loading("m")]);
        clock.Advance(TimeSpan.FromMinutes(9));

        fleet.List().ShouldHaveSingleItem().State.ShouldBe(WorkerState.Loading);
        (await fleet.TendAsync(default)).ShouldHaveSingleItem().State.ShouldBe(WorkerState.Loading);
        launcher.Stopped.ShouldBeEmpty();
        meter.TakeBooted().ShouldBeEmpty();

        roster.Tell("w1", [new WorkerModel("m", "v1")]);
        clock.Advance(TimeSpan.FromSeconds(5));
        (await fleet.TendAsync(default))[0].ShouldBe(new WorkerView("w1", WorkerState.Idle, TimeSpan.FromSeconds(546), TimeSpan.FromSeconds(5)));
        meter.TakeBooted().ShouldBe([541]);
    }

    [Fact]
    public async Task One_that_loads_a_model_for_too_long_is_stopped_and_the_next_one_has_twice_the_time()
    {
        foreach (var minutes in (int[])[10, 20, 40, 80, 120, 120])
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            (await fleet.LaunchAsync(1, default)).ShouldBe(1);
            var worker = launcher.Names.Single();
            roster.Join(worker, 1, [Loading("m")]);
            clock.Advance(TimeSpan.FromMinutes(minutes));
            (await fleet.TendAsync(default)).ShouldHaveSingleItem();
            clock.Advance(TimeSpan.FromSeconds(1));
            await fleet.TendAsync(default);
            launcher.Stopped[^1].ShouldBe(worker);
        }
        fleet.Health.ShouldBe(new FleetHealth(0, 6), "none of them ever was of use");
    }

    [Fact]
    public async Task One_that_ends_because_a_job_could_not_be_stopped_has_not_died()
    {
        for (var i = 0; i < 5; i++)
        {
            (await fleet.LaunchAsync(1, default)).ShouldBe(1, "and the next one is started at once");
            var worker = launcher.Names.Single();
            roster.Join(worker, 1, []);
            await fleet.TendAsync(default);
            launcher.End(worker, WorkerExit.StuckStatus);
        }

        fleet.Health.ShouldBe(new FleetHealth(0, 0));
    }

    [Fact]
    public async Task One_that_dies_of_its_first_model_has_not_booted()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, [Loading("m")]);
        await fleet.TendAsync(default);
        launcher.End("w1", 139);

        fleet.Health.ShouldBe(new FleetHealth(0, 1));
    }

    [Fact]
    public async Task One_that_cannot_be_stopped_is_tried_again_and_holds_up_nobody()
    {
        await fleet.LaunchAsync(2, default);
        launcher.NextFault = new InvalidOperationException("not now");
        // Too long for the first, and for what the second is given after that.
        clock.Advance(TimeSpan.FromSeconds(121));

        await fleet.TendAsync(default);
        launcher.Stopped.Count.ShouldBe(1);

        await fleet.TendAsync(default);
        launcher.Stopped.Count.ShouldBe(1, "not again at once");
        clock.Advance(TimeSpan.FromSeconds(11));
        await fleet.TendAsync(default);
        launcher.Stopped.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_drain_is_an_order_with_a_number_that_a_higher_one_takes_back()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        roster.Took("w1");

        await fleet.DrainAsync("w1", default);
        roster.OrderOf("w1").ShouldBe((true, 1));
        fleet.List()[0].State.ShouldBe(WorkerState.Draining);
        fleet.CancelDrain("w1").ShouldBeTrue();

        roster.OrderOf("w1").ShouldBe((false, 2));
        fleet.List()[0].State.ShouldBe(WorkerState.Busy);
        launcher.Stopped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_drain_cannot_be_taken_back_once_the_worker_was_told_that_it_may_go()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        await fleet.DrainAsync("w1", default);
        roster.LeaveIfDraining("w1").ShouldBeTrue();

        fleet.CancelDrain("w1").ShouldBeFalse();
    }

    [Fact]
    public async Task One_whose_machine_is_taken_away_drains_and_nothing_keeps_it()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        roster.Took("w1");

        roster.Leaving("w1");

        (await fleet.TendAsync(default))[0].State.ShouldBe(WorkerState.Draining);
        fleet.CancelDrain("w1").ShouldBeFalse("another is started instead");
        roster.Leave("w1");
        launcher.End("w1", 0);
        fleet.Health.ShouldBe(new FleetHealth(0, 0), "it is nobody's fault");
    }

    [Fact]
    public async Task One_without_a_line_that_has_not_joined_is_stopped_as_it_has_no_job()
    {
        await fleet.LaunchAsync(1, default);
        await fleet.DrainAsync("w1", default);

        launcher.Stopped.ShouldBe(["w1"]);
        fleet.Health.ShouldBe(new FleetHealth(0, 0), "it was told to");
    }

    [Fact]
    public async Task One_that_was_silent_and_joins_again_counts_and_can_be_drained()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default);
        clock.Advance(TimeSpan.FromMinutes(1));
        roster.Forget(TimeSpan.FromSeconds(30));
        (await fleet.TendAsync(default))[0].State.ShouldBe(WorkerState.Draining);

        roster.Join("w1", 1, []);
        clock.Advance(TimeSpan.FromSeconds(11));
        (await fleet.TendAsync(default))[0].State.ShouldBe(WorkerState.Idle);

        launcher.Stopped.ShouldBeEmpty();
        await fleet.DrainAsync("w1", default);
        roster.OrderOf("w1").Drain.ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_has_left_is_stopped_after_a_while_if_it_does_not_end()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default);
        await fleet.DrainAsync("w1", default);
        roster.LeaveIfDraining("w1");

        (await fleet.TendAsync(default))[0].State.ShouldBe(WorkerState.Draining);
        launcher.Stopped.ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(11));
        (await fleet.TendAsync(default)).ShouldBeEmpty();

        launcher.Stopped.ShouldBe(["w1"]);
    }

    [Fact]
    public async Task Workers_that_die_one_after_another_are_started_ever_more_slowly()
    {
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 8; i++)
        {
            var waited = TimeSpan.Zero;
            while (await fleet.LaunchAsync(1, default) == 0)
            {
                clock.Advance(TimeSpan.FromMilliseconds(250));
                waited += TimeSpan.FromMilliseconds(250);
            }
            waits.Add(waited);
            launcher.End(launcher.Names.Single(), 9);
        }

        waits.Select(w => w.TotalSeconds).ShouldBe([0, 0, 0.25, 0.5, 1, 2, 4, 8]);
        fleet.Health.ShouldBe(new FleetHealth(0, 8));
        exits.Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_lack_of_capacity_is_waited_out()
    {
        launcher.Capacity = 1;
        (await fleet.LaunchAsync(3, default)).ShouldBe(1);
        launcher.Capacity = 3;

        (await fleet.LaunchAsync(2, default)).ShouldBe(0);
        clock.Advance(TimeSpan.FromMilliseconds(250));
        (await fleet.LaunchAsync(2, default)).ShouldBe(2);
        fleet.Health.FailedBoots.ShouldBe(1);
    }

    [Fact]
    public async Task A_launcher_that_fails_says_so_and_is_not_asked_again_at_once()
    {
        launcher.NextFault = new InvalidOperationException("no such group");
        await Should.ThrowAsync<InvalidOperationException>(() => fleet.LaunchAsync(1, default));

        (await fleet.LaunchAsync(1, default)).ShouldBe(0);
        clock.Advance(TimeSpan.FromMilliseconds(250));
        (await fleet.LaunchAsync(1, default)).ShouldBe(1);
    }

    [Fact]
    public async Task One_that_vanishes_without_a_word_has_died_unless_it_was_to_go()
    {
        launcher.Reports = false;
        await fleet.LaunchAsync(2, default);
        roster.Join("w1", 1, []);
        roster.Join("w2", 1, []);
        await fleet.TendAsync(default);
        await fleet.DrainAsync("w2", default);
        launcher.End("w1", 0);
        launcher.End("w2", 0);

        (await fleet.TendAsync(default)).ShouldBeEmpty();

        fleet.Health.ShouldBe(new FleetHealth(1, 0));
        exits.Select(e => (e.Worker, e.Status)).ShouldBe([("w1", null), ("w2", null)], ignoreOrder: true);
        (roster.Has("w1"), roster.Has("w2")).ShouldBe((false, false));
    }

    [Fact]
    public async Task Those_that_were_there_before_it_are_taken_over_with_patience_and_their_boots_are_not_measured()
    {
        await launcher.StartAsync(1, default);
        clock.Advance(TimeSpan.FromHours(2));
        fleet = NewController();

        (await fleet.TendAsync(default)).ShouldHaveSingleItem().Age.ShouldBe(TimeSpan.FromHours(2));
        launcher.Stopped.ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(5));
        roster.Join("w1", 1, []);
        (await fleet.TendAsync(default))[0].State.ShouldBe(WorkerState.Idle);

        meter.TakeBooted().ShouldBeEmpty();
    }

    [Fact]
    public async Task Workers_from_elsewhere_count_where_they_are_adopted()
    {
        fleet = new FleetController(launcher, roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance) { Adopts = w => w == "mine" };
        await fleet.LaunchAsync(1, default);
        roster.Join("mine", 1, []);
        roster.Join("anothers", 1, []);

        fleet.List().Select(w => w.Id).ShouldBe(["mine", "w1"]);
        (fleet.Has("w1"), fleet.Has("mine")).ShouldBe((true, false));
    }

    [Fact]
    public async Task Everybody_goes_at_the_end_and_who_does_not_is_stopped()
    {
        await fleet.LaunchAsync(2, default);
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default);

        var draining = fleet.DrainAllAsync(TimeSpan.FromSeconds(60));
        await clock.WaitForTimersAsync();
        launcher.Stopped.ShouldBe(["w2"], "it has no job");
        roster.IsDraining("w1").ShouldBeTrue();
        clock.Advance(TimeSpan.FromSeconds(61));

        await draining.WaitAsync(TimeSpan.FromSeconds(60));
        launcher.Stopped.ShouldBe(["w2", "w1"]);
    }

    [Fact]
    public async Task Workers_that_are_shared_stay_when_the_service_ends()
    {
        launcher.IsShared = true;
        await fleet.LaunchAsync(2, default);
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default);

        await fleet.DrainAllAsync(TimeSpan.Zero);

        roster.IsDraining("w1").ShouldBeFalse();
        launcher.Stopped.ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_takes_over_workers_that_are_shared_gives_those_of_the_other_time_to_come_over()
    {
        launcher.IsShared = true;
        await launcher.StartAsync(2, default);
        await fleet.TendAsync(default, ControllerRole.Standby);
        // One has joined here before; the other never did.
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default, ControllerRole.Standby);
        roster.Leave("w1");
        clock.Advance(TimeSpan.FromHours(1));
        await fleet.TendAsync(default, ControllerRole.Standby);

        var taken = await fleet.TendAsync(default, ControllerRole.Active);
        taken.Select(w => w.State).ShouldBe([WorkerState.Booting, WorkerState.Booting]);
        taken.ShouldAllBe(w => w.StateAge == TimeSpan.Zero, "a policy would give them up");
        foreach (var worker in taken)
            await fleet.DrainAsync(worker.Id, default);
        launcher.Stopped.ShouldBeEmpty("they may have jobs");
        clock.Advance(((IWorkerLauncher)launcher).BootPatience);
        await fleet.TendAsync(default);
        launcher.Stopped.ShouldBeEmpty();

        roster.Join("w2", 1, []);
        clock.Advance(TimeSpan.FromSeconds(1));
        await fleet.TendAsync(default);
        launcher.Stopped.ShouldBe(["w1"], "it never came over");
        meter.TakeBooted().ShouldBeEmpty("when it was ready before is not known");
    }

    [Fact]
    public async Task A_boot_that_no_look_has_seen_yet_is_measured_when_everybody_goes()
    {
        await fleet.LaunchAsync(1, default);
        clock.Advance(TimeSpan.FromSeconds(3));
        roster.Join("w1", 1, []);

        var draining = fleet.DrainAllAsync(TimeSpan.FromSeconds(60));
        await clock.WaitForTimersAsync();
        clock.Advance(TimeSpan.FromSeconds(61));
        await draining.WaitAsync(TimeSpan.FromSeconds(60));

        meter.TakeBooted().ShouldBe([3]);
    }

    [Fact]
    public async Task A_drain_of_workers_whose_ends_nobody_tells_is_over_when_they_are_no_longer_listed()
    {
        launcher.Reports = false;
        await fleet.LaunchAsync(2, default);
        roster.Join("w1", 1, []);
        roster.Join("w2", 1, []);
        await fleet.TendAsync(default);

        var draining = fleet.DrainAllAsync(TimeSpan.FromHours(1));
        await clock.WaitForTimersAsync();
        launcher.End("w1", 0);
        launcher.End("w2", 0);
        clock.Advance(TimeSpan.FromSeconds(1));

        await draining.WaitAsync(TimeSpan.FromSeconds(60));
        exits.Select(e => e.Worker).ShouldBe(["w1", "w2"], ignoreOrder: true);
        launcher.Stopped.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, 0, "it had no job")]
    [InlineData(1, 0, "its job goes back into its queue")]
    [InlineData(2, 0, "2 of its jobs go back into their queues")]
    [InlineData(0, 1, "one job has used up its attempts and is dead")]
    [InlineData(1, 2, "its job goes back into its queue, 2 jobs have used up their attempts and are dead")]
    public async Task The_log_says_what_became_of_the_jobs_of_a_worker_that_died(int queued, int dead, string words)
    {
        lost = new(queued, dead);
        await fleet.LaunchAsync(1, default);

        launcher.Exited!(new WorkerExit("w1", 139, []));

        log.Lines.ShouldHaveSingleItem().ShouldBe($"Worker w1 ended with status 139; {words}");
    }

    private static WorkerModel Loading(string id) => new(id, null) { IsLoading = true };

    private FleetController NewController() => new(
        launcher, roster,
        exit =>
        {
            exits.Add(exit);
            return Task.FromResult(lost);
        },
        clock, log)
    {
        Meter = meter,
    };

    private sealed class LogLines : ILogger<FleetController>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
