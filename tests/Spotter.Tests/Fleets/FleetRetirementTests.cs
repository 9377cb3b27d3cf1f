using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Fleets;

/// <summary>Workers that are to go for good, since what they were started with no longer fits: others take their place and no job is lost.</summary>
public sealed class FleetRetirementTests
{
    private readonly ManualClock clock = new();
    private readonly WorkerRoster roster;
    private readonly MemoryLauncher launcher;
    private readonly List<WorkerExit> exits = [];
    private readonly FleetController fleet;

    public FleetRetirementTests()
    {
        roster = new WorkerRoster(clock);
        launcher = new MemoryLauncher(clock);
        fleet = NewController();
    }

    [Fact]
    public async Task One_that_works_is_told_to_finish_and_never_interrupted()
    {
        await StartAsync("w1");
        roster.Took("w1");

        await fleet.RetireAllAsync(default);
        clock.Advance(TimeSpan.FromHours(1));
        roster.Heartbeat("w1", held: 1);

        (await fleet.TendAsync(default)).ShouldHaveSingleItem().State.ShouldBe(WorkerState.Draining);
        launcher.Stopped.ShouldBeEmpty("its job runs");
        roster.Ended("w1");
        roster.LeaveIfDraining("w1").ShouldBeTrue("nothing is left to do");
        launcher.End("w1", 0);
        (await fleet.TendAsync(default)).ShouldBeEmpty();
        fleet.Health.ShouldBe(new FleetHealth(0, 0), "it was told to");
    }

    [Fact]
    public async Task Those_that_gateways_share_stay_since_another_may_have_given_them_a_job()
    {
        launcher.IsShared = true;
        await launcher.StartAsync(1, default);
        await fleet.TendAsync(default, ControllerRole.Standby);

        await fleet.RetireAllAsync(default);

        launcher.Stopped.ShouldBeEmpty();
    }

    [Fact]
    public async Task It_can_not_be_kept_whatever_the_policy_wants()
    {
        await StartAsync("w1");

        await fleet.RetireAllAsync(default);

        fleet.CancelDrain("w1").ShouldBeFalse();
        roster.OrderOf("w1").ShouldBe((true, 1), "no order takes it back");
    }

    [Fact]
    public async Task One_that_drains_already_can_not_be_kept_any_more_either()
    {
        await StartAsync("w1");
        await fleet.DrainAsync("w1", default);

        await fleet.RetireAllAsync(default);

        fleet.CancelDrain("w1").ShouldBeFalse();
        roster.OrderOf("w1").ShouldBe((true, 1), "it knows");
    }

    [Fact]
    public async Task Those_that_are_started_afterwards_stay()
    {
        await StartAsync("w1");
        await fleet.RetireAllAsync(default);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        (await fleet.LaunchAsync(1, default)).ShouldBe(1, "at once: nobody failed");
        roster.Join("w2", 1, []);
        (await fleet.TendAsync(default)).Select(w => (w.Id, w.State)).ShouldBe([("w1", WorkerState.Draining), ("w2", WorkerState.Idle)]);

        await fleet.DrainAsync("w2", default);
        fleet.CancelDrain("w2").ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_has_not_joined_has_no_job_and_is_stopped_and_has_not_failed()
    {
        await fleet.LaunchAsync(2, default);
        roster.Join("w2", 1, []);

        await fleet.RetireAllAsync(default);

        launcher.Stopped.ShouldBe(["w1"]);
        roster.IsDraining("w2").ShouldBeTrue();
        fleet.Health.ShouldBe(new FleetHealth(0, 0));
        exits.ShouldHaveSingleItem().Worker.ShouldBe("w1");
    }

    [Fact]
    public async Task One_that_was_silent_and_joins_again_is_told_again()
    {
        await StartAsync("w1");
        roster.Took("w1");
        await fleet.RetireAllAsync(default);
        clock.Advance(TimeSpan.FromMinutes(1));
        roster.Forget(TimeSpan.FromSeconds(30)).ShouldBe(["w1"]);
        await fleet.TendAsync(default);

        roster.Join("w1", 1, [], order: 1);
        (await fleet.TendAsync(default)).ShouldHaveSingleItem().State.ShouldBe(WorkerState.Draining);

        roster.OrderOf("w1").ShouldBe((true, 2));
        await fleet.TendAsync(default);
        roster.OrderOf("w1").ShouldBe((true, 2), "once is enough");
    }

    [Fact]
    public async Task One_that_was_on_its_way_and_not_yet_seen_goes_too()
    {
        await launcher.StartAsync(1, default);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await fleet.RetireAllAsync(default);
        roster.Join("w1", 1, []);

        await fleet.TendAsync(default);

        roster.IsDraining("w1").ShouldBeTrue();
        fleet.CancelDrain("w1").ShouldBeFalse();
    }

    [Fact]
    public async Task Those_from_elsewhere_are_not_this_fleets_to_retire()
    {
        await StartAsync("w1");
        roster.Join("elsewhere", 1, []);

        await fleet.RetireAllAsync(default);
        await fleet.TendAsync(default);

        (roster.IsDraining("w1"), roster.IsDraining("elsewhere")).ShouldBe((true, false));
    }

    [Fact]
    public async Task One_that_can_not_be_stopped_keeps_no_other_from_being_told()
    {
        await fleet.LaunchAsync(2, default);
        roster.Join("w2", 1, []);
        launcher.NextFault = new InvalidOperationException("not now");

        await fleet.RetireAllAsync(default);

        roster.IsDraining("w2").ShouldBeTrue();
        clock.Advance(TimeSpan.FromSeconds(11));
        await fleet.TendAsync(default);
        launcher.Stopped.ShouldBe(["w1"], "it is tried again");
    }

    private async Task StartAsync(string worker)
    {
        await fleet.LaunchAsync(1, default);
        roster.Join(worker, 1, []);
        await fleet.TendAsync(default);
    }

    private FleetController NewController() => new(
        launcher, roster,
        exit =>
        {
            exits.Add(exit);
            return Task.FromResult(default(LostLeases));
        },
        clock, NullLogger<FleetController>.Instance);
}
