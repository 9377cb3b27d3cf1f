using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Scaling;

public sealed class ObservedFleetTests
{
    private static readonly TimeSpan Rejoin = TimeSpan.FromSeconds(15);

    private readonly ManualClock clock = new();
    private readonly WorkerRoster roster;
    private readonly ScaleMeter meter = new();
    private readonly ObservedFleet fleet;

    public ObservedFleetTests()
    {
        roster = new WorkerRoster(clock);
        fleet = new ObservedFleet(roster, Rejoin, clock) { Meter = meter };
    }

    [Fact]
    public async Task What_is_wanted_boots_until_it_joins_and_is_told()
    {
        await BeginAsync();

        (await fleet.LaunchAsync(3, default)).ShouldBe(3);
        Pass(5);
        roster.Join("pod-x", 1, []);

        States(await fleet.TendAsync(default)).ShouldBe([WorkerState.Idle, WorkerState.Booting, WorkerState.Booting]);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(3));
        fleet.List().Where(w => w.State == WorkerState.Booting).ShouldAllBe(w => w.Age == TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Nobody_is_told_to_drain_but_fewer_are_wanted()
    {
        await WorkingAsync("a", "b");

        await fleet.DrainAsync("a", default);
        await fleet.DrainAsync("a", default);

        fleet.Desired.Now.ShouldBe(DesiredCount.Of(1));
        roster.IsDraining("a").ShouldBeFalse("whoever ends workers chooses which");
        StateOf("a").ShouldBe(WorkerState.Draining);
        StateOf("b").ShouldBe(WorkerState.Idle);

        fleet.CancelDrain("a").ShouldBeTrue();
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(2));
        StateOf("a").ShouldBe(WorkerState.Idle);
        fleet.CancelDrain("a").ShouldBeFalse();
    }

    [Fact]
    public async Task Where_another_one_is_ended_than_the_one_let_go_that_one_counts_again()
    {
        await WorkingAsync("a", "b");
        await fleet.DrainAsync("a", default);

        roster.Leaving("b");
        States(await fleet.TendAsync(default)).ShouldBe([WorkerState.Idle, WorkerState.Draining]);
        StateOf("a").ShouldBe(WorkerState.Idle);
        roster.Leave("b");

        States(await fleet.TendAsync(default)).ShouldBe([WorkerState.Idle]);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(1));
    }

    [Fact]
    public async Task One_that_dies_is_still_wanted_and_nobody_is_blamed()
    {
        await WorkingAsync("a", "b");

        roster.Leave("a");

        States(await fleet.TendAsync(default)).ShouldBe([WorkerState.Idle, WorkerState.Booting]);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(2));
        fleet.Health.ShouldBe(default);
    }

    [Fact]
    public async Task A_wait_that_is_given_up_is_wanted_no_more()
    {
        await BeginAsync();
        await fleet.LaunchAsync(2, default);
        var names = fleet.List().Select(w => w.Id).ToList();

        await fleet.DrainAsync(names[1], default);

        fleet.Desired.Now.ShouldBe(DesiredCount.Of(1));
        fleet.List().ShouldHaveSingleItem().Id.ShouldBe(names[0]);
        (await fleet.TendAsync(default)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_boot_is_measured_from_being_wanted_to_being_ready_and_the_longest_wait_ends_first()
    {
        await BeginAsync();
        await fleet.LaunchAsync(1, default);
        Pass(10);
        await fleet.LaunchAsync(1, default);
        Pass(10);

        roster.Join("a", 1, [new("m", null) { IsLoading = true }]);
        await fleet.TendAsync(default);
        meter.TakeBooted().ShouldBeEmpty("it loads its model");
        Pass(4);
        roster.Tell("a", [new("m", "1")]);
        roster.Join("b", 1, [new("m", "1")]);
        Pass(1);
        await fleet.TendAsync(default);

        meter.TakeBooted().ShouldBe([24, 14], ignoreOrder: true);
        await fleet.TendAsync(default);
        meter.TakeBooted().ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_more_than_are_wanted_the_longest_idle_may_go_and_are_kept_first_when_more_are_wanted()
    {
        await BeginAsync();
        await fleet.LaunchAsync(1, default);
        roster.Join("a", 1, []);
        await fleet.TendAsync(default);
        roster.Took("a");
        Pass(1);
        foreach (var more in (string[])["b", "c"])
            roster.Join(more, 1, []);

        await fleet.TendAsync(default);

        fleet.Desired.Now.ShouldBe(DesiredCount.Of(1));
        StateOf("a").ShouldBe(WorkerState.Busy);
        (StateOf("b"), StateOf("c")).ShouldBe((WorkerState.Draining, WorkerState.Draining));
        fleet.CancelDrain("c").ShouldBeTrue();
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(2));
    }

    [Fact]
    public async Task A_gateway_that_has_just_begun_does_not_seem_to_want_nobody()
    {
        fleet.Desired.Now.Workers.ShouldBeNull();
        await fleet.TendAsync(default);
        (fleet.Desired.Now.Workers, fleet.Desired.Now.IsActive).ShouldBe((null, null));
        fleet.Desired.Now.Why.ShouldNotBeNull().ShouldContain("15 seconds");

        foreach (var worker in (string[])["a", "b", "c"])
            roster.Join(worker, 1, []);
        await fleet.TendAsync(default);
        (fleet.Desired.Now.Workers, fleet.Desired.Now.IsActive).ShouldBe((null, true));
        States(fleet.List()).ShouldAllBe(s => s == WorkerState.Idle);

        clock.Advance(Rejoin);
        await fleet.TendAsync(default);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(3));
    }

    [Fact]
    public async Task A_gateway_that_stands_by_tells_so_and_sends_the_pools_workers_away()
    {
        var mine = new ObservedFleet(roster, Rejoin, clock) { Takes = models => models.Contains("mine", StringComparer.Ordinal) };
        await mine.TendAsync(default);
        mine.IsElsewhere("a", ["mine"]).ShouldBeFalse();
        roster.Join("a", 1, [new("mine", "1")]);
        roster.Join("b", 1, [new("other", "1")]);
        await mine.TendAsync(default);
        mine.List().ShouldHaveSingleItem().Id.ShouldBe("a");

        await mine.TendAsync(default, ControllerRole.Standby);

        (mine.Desired.Now.Workers, mine.Desired.Now.IsElsewhere).ShouldBe((null, true));
        mine.IsElsewhere("new", ["mine"]).ShouldBeTrue();
        mine.IsElsewhere("new", ["other"]).ShouldBeFalse();
        mine.IsElsewhere("a").ShouldBeTrue();
        mine.IsElsewhere("b").ShouldBeFalse();
        mine.IsElsewhere("unknown").ShouldBeFalse();

        // Whoever takes over begins with those that join it, and not with what was wanted before.
        await mine.TendAsync(default);
        (mine.Desired.Now.Workers, mine.Desired.Now.IsElsewhere).ShouldBe((null, false));
        clock.Advance(Rejoin);
        await mine.TendAsync(default);
        mine.Desired.Now.ShouldBe(DesiredCount.Of(1));
    }

    [Fact]
    public async Task Unknown_is_never_zero()
    {
        await WorkingAsync("a");

        await fleet.TendAsync(default, ControllerRole.Unknown);

        (fleet.Desired.Now.Workers, fleet.Desired.Now.IsActive).ShouldBe((null, null));
        fleet.IsElsewhere("a", []).ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_waits_hears_of_a_change_at_once()
    {
        await BeginAsync();
        var seen = fleet.Desired.Now;
        var other = fleet.Desired.OtherThanAsync(seen, default);
        other.IsCompleted.ShouldBeFalse();

        await fleet.LaunchAsync(1, default);

        (await other.WaitAsync(TimeSpan.FromSeconds(60))).ShouldBe(DesiredCount.Of(1));
        (await fleet.Desired.OtherThanAsync(seen, default)).ShouldBe(DesiredCount.Of(1));
    }

    /// <summary>Long after it began to scale.</summary>
    private async Task BeginAsync()
    {
        await fleet.TendAsync(default);
        clock.Advance(Rejoin);
        await fleet.TendAsync(default);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(0));
    }

    private async Task WorkingAsync(params string[] workers)
    {
        await BeginAsync();
        await fleet.LaunchAsync(workers.Length, default);
        foreach (var worker in workers)
            roster.Join(worker, 1, []);
        await fleet.TendAsync(default);
        fleet.Desired.Now.ShouldBe(DesiredCount.Of(workers.Length));
    }

    private void Pass(double seconds) => clock.Advance(TimeSpan.FromSeconds(seconds));

    private WorkerState StateOf(string worker) => fleet.List().Single(w => w.Id == worker).State;

    private static List<WorkerState> States(IReadOnlyList<WorkerView> workers) => [.. workers.Select(w => w.State)];
}
