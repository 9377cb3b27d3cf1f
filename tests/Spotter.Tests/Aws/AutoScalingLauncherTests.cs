using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets.Aws;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Tests.Aws;

[NeedsMoto]
[Collection(Moto.Name)]
[Lacks(Ability.Ends, "An Auto Scaling group tells nobody when an instance ends: it is just missing from the list.")]
public sealed class AutoScalingLauncherConformance : WorkerLauncherConformance
{
    private readonly MotoGroup group;
    private readonly AutoScalingLauncher launcher;

    public AutoScalingLauncherConformance(Moto moto)
    {
        group = new MotoGroup(moto);
        group.MakeAsync().GetAwaiter().GetResult();
        launcher = new AutoScalingLauncher(group.Group, hook: null, Clock, NullLogger<AutoScalingLauncher>.Instance);
    }

    protected override IWorkerLauncher Launcher => launcher;

    public override Task DisposeAsync()
    {
        group.Dispose();
        return Task.CompletedTask;
    }

    protected override void RunOut() => group.CallAsync("UpdateAutoScalingGroup", ("MaxSize", "1")).GetAwaiter().GetResult();

    protected override void Crash(string worker) => throw new NotSupportedException();
}

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AutoScalingLauncherTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly MotoGroup group;
    private readonly AutoScalingLauncher launcher;

    public AutoScalingLauncherTests(Moto moto)
    {
        group = new MotoGroup(moto);
        launcher = new AutoScalingLauncher(group.Group, hook: null, clock, NullLogger<AutoScalingLauncher>.Instance);
    }

    public void Dispose() => group.Dispose();

    [Fact]
    public async Task All_are_protected_from_the_group_s_own_choice()
    {
        await group.MakeAsync();
        await group.CallAsync("SetDesiredCapacity", ("DesiredCapacity", "1"));
        (await group.Group.DescribeAsync(default)).Instances.ShouldHaveSingleItem().IsProtected.ShouldBeFalse("the group was made without");

        (await launcher.StartAsync(2, default)).ShouldBe(2);

        var state = await group.Group.DescribeAsync(default);
        state.Desired.ShouldBe(3);
        state.ProtectsNew.ShouldBeTrue();
        state.Instances.Count.ShouldBe(3);
        state.Instances.ShouldAllBe(i => i.IsProtected);
    }

    [Fact]
    public async Task The_very_instance_ends_and_is_not_replaced()
    {
        await group.MakeAsync();
        await launcher.StartAsync(3, default);
        var names = (await launcher.ListAsync(default)).Select(w => w.Name).ToList();

        await launcher.StopAsync(names[1], default);

        var state = await group.Group.DescribeAsync(default);
        state.Desired.ShouldBe(2);
        state.Staying.Select(i => i.Id).ShouldBe([names[0], names[2]], ignoreOrder: true);
        state.Staying.ShouldAllBe(i => i.IsProtected);
    }

    [Fact]
    public async Task What_the_group_wants_already_is_not_asked_for_twice()
    {
        await group.MakeAsync();
        await launcher.StartAsync(1, default);
        await group.CallAsync("SuspendProcesses", ("ScalingProcesses.member.1", "Launch"));
        await launcher.StartAsync(1, default);

        (await group.Group.DescribeAsync(default)).Desired.ShouldBe(2);
    }

    [Fact]
    public async Task A_group_that_has_to_keep_its_instances_says_so_and_keeps_the_protection()
    {
        await group.MakeAsync(min: 1);
        await launcher.StartAsync(1, default);
        var first = (await launcher.ListAsync(default))[0].Name;
        await launcher.StopAsync(first, default);
        var last = (await launcher.ListAsync(default)).ShouldHaveSingleItem().Name;

        var refused = await Should.ThrowAsync<SpotterException>(() => launcher.StopAsync(last, default));

        refused.Message.ShouldBe($"The Auto Scaling group '{group.Name}' has to keep 1 instances; lower its minimum, or raise the pool's.");
        (await group.Group.DescribeAsync(default)).Instances.ShouldHaveSingleItem().IsProtected.ShouldBeTrue();
    }

    [Fact]
    public async Task A_group_that_is_not_there_is_said_to_be()
    {
        var refused = await Should.ThrowAsync<SpotterException>(() => launcher.ListAsync(default));

        refused.Message.ShouldBe($"There is no Auto Scaling group '{group.Name}' in this region; make it, or correct the group's name or the region.");
    }

    [Fact]
    public async Task A_worker_drains_before_its_instance_ends_and_one_that_vanishes_gives_its_jobs_back()
    {
        await group.MakeAsync();
        var roster = new WorkerRoster(clock);
        var exits = new List<string>();
        var fleet = new FleetController(
            launcher, roster,
            exit =>
            {
                exits.Add(exit.Worker);
                return Task.FromResult(default(LostLeases));
            },
            clock, NullLogger<FleetController>.Instance);
        (await fleet.LaunchAsync(2, default)).ShouldBe(2);
        (await fleet.TendAsync(default)).ShouldAllBe(w => w.State == WorkerState.Booting);
        var (spot, drained) = (fleet.Launched[0], fleet.Launched[1]);
        roster.Join(drained, 1, []);

        await fleet.DrainAsync(drained, default);
        await group.CallAsync("DetachInstances", ("InstanceIds.member.1", spot), ("ShouldDecrementDesiredCapacity", "true"));
        clock.Advance(TimeSpan.FromSeconds(6));
        await fleet.TendAsync(default);

        exits.ShouldBe([spot]);
        (await group.Group.DescribeAsync(default)).Staying.Select(i => i.Id).ShouldBe([drained], "it may still have a job");

        roster.Leave(drained);
        await fleet.TendAsync(default);
        clock.Advance(TimeSpan.FromSeconds(11));
        await fleet.TendAsync(default);
        await fleet.TendAsync(default);

        (await group.Group.DescribeAsync(default)).Desired.ShouldBe(0);
        exits.ShouldBe([spot, drained]);
    }
}
