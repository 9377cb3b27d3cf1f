using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Fleets.Aws;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Aws;

/// <summary>A pool of EC2 machines under the controller and an earlier service's rule: one machine for each job, at most 20.</summary>
public sealed class Ec2FleetTests : IAsyncLifetime
{
    private const int Most = 20;

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private Backend backend = null!;
    private FakeEc2 ec2 = null!;
    private WorkerRoster roster = null!;
    private ScaleLoop loop = null!;

    public async Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        ec2 = await FakeEc2.StartAsync(clock);
        BeginAnew();
    }

    public async Task DisposeAsync()
    {
        await ec2.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_burst_of_110_jobs_has_exactly_20_machines_and_18_jobs_let_two_idle_ones_go()
    {
        await AddAsync(110);

        var decision = await StepAsync();
        decision.Launch.ShouldBe(Most);
        Up().Select(m => m.Name).ShouldBe(Enumerable.Range(1, Most).Select(i => $"p-{i}"), ignoreOrder: true);
        Join();
        (await StepAsync()).Launch.ShouldBe(0);

        foreach (var round in (int[])[20, 20, 20, 20, 12])
            await EndAsync(await TakeAsync(round));
        var last = await TakeAsync(18);
        decision = await StepAsync();

        decision.Drain.Count.ShouldBe(2);
        decision.Drain.ShouldAllBe(worker => !last.Any(j => j.Job.Worker == worker));
        await PassAsync();
        Up().Count.ShouldBe(Most, "none has left yet");

        // One of the two is kept for a job that comes, and the other leaves.
        await AddAsync(1);
        decision = await StepAsync();
        (decision.Launch, decision.CancelDrain.Count).ShouldBe((0, 1));
        var gone = Up().Single(m => roster.IsDraining(m.Id));
        roster.LeaveIfDraining(gone.Id).ShouldBeTrue();
        await PassAsync();
        Up().Count.ShouldBe(Most - 1);
        gone.State.ShouldBe("shutting-down");

        await EndAsync(last);
        await EndAsync(await TakeAsync(1));
        await StepAsync();
        Up().ShouldAllBe(m => roster.IsDraining(m.Id));
        foreach (var machine in Up())
            roster.LeaveIfDraining(machine.Id).ShouldBeTrue();
        await PassAsync();
        Up().ShouldBeEmpty();

        foreach (var machine in ec2.Machines)
            machine.State = "terminated";
        await AddAsync(3);
        await StepAsync();
        // All numbers are free again.
        Up().Select(m => m.Name).ShouldBe(["p-1", "p-2", "p-3"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_machine_with_a_job_is_not_ended_however_few_are_wanted()
    {
        await AddAsync(5);
        await StepAsync();
        Join();
        var running = await TakeAsync(5);
        foreach (var job in running.Skip(1))
            await backend.Jobs.CancelAsync(job.Job.Id, by: null, default);

        for (var i = 0; i < 3; i++)
            await PassAsync();

        Up().Count.ShouldBe(5);
        ec2.Count("TerminateInstances").ShouldBe(0);
    }

    [Fact]
    public async Task A_controller_that_starts_anew_knows_all_machines_and_launches_none_besides()
    {
        await AddAsync(110);
        await StepAsync();

        BeginAnew();
        (await StepAsync()).Launch.ShouldBe(0);
        Join();
        (await StepAsync()).Launch.ShouldBe(0);

        ec2.Machines.Count.ShouldBe(Most);
        foreach (var round in (int[])[20, 20, 20, 20, 20, 10])
            await EndAsync(await TakeAsync(round));
        await StepAsync();
        foreach (var machine in Up())
            roster.LeaveIfDraining(machine.Id).ShouldBeTrue();
        await PassAsync();
        Up().ShouldBeEmpty("no machine is an orphan");
    }

    [Fact]
    public async Task What_EC2_has_not_is_launched_once_it_has()
    {
        var left = 5;
        ec2.Refuses = (_, _) => left-- > 0 ? null : (500, "InsufficientInstanceCapacity");
        await AddAsync(110);
        (await StepAsync()).Launch.ShouldBe(5);
        ec2.Refuses = (_, _) => null;

        (await StepAsync()).Launch.ShouldBe(15);

        Up().Select(m => m.Name).ShouldBe(Enumerable.Range(1, Most).Select(i => $"p-{i}"), ignoreOrder: true);
    }

    /// <summary>A gateway that has just been started.</summary>
    private void BeginAnew()
    {
        roster = new WorkerRoster(clock);
        var launcher = new Ec2Launcher(ec2.Pool(), new LaunchPlaces([], []), clock, RandomSource.System, NullLogger<Ec2Launcher>.Instance);
        var fleet = new FleetController(launcher, roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance);
        loop = new ScaleLoop(
            backend.Jobs, fleet, ScalePolicies.Create(new ScaleSettings { Max = Most, Lanes = 1, Policy = "controller" }), new DecisionLog(), clock, NullLogger<ScaleLoop>.Instance);
    }

    private IReadOnlyList<FakeMachine> Up() => [.. ec2.Machines.Where(m => m.State is "pending" or "running")];

    /// <summary>All machines have booted.</summary>
    private void Join()
    {
        foreach (var machine in Up())
        {
            machine.State = "running";
            roster.Join(machine.Id, 1, []);
        }
    }

    /// <summary>The rule looks every ten seconds.</summary>
    private async Task<ScaleDecision> StepAsync()
    {
        var decision = await loop.StepAsync(default);
        clock.Advance(TimeSpan.FromSeconds(10));
        return decision;
    }

    /// <summary>Long enough for one that has left to be ended.</summary>
    private async Task PassAsync()
    {
        await StepAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        await StepAsync();
    }

    private Task AddAsync(int count) => FleetJobs.AddAsync(backend.Jobs, count);

    private Task<IReadOnlyList<StartedJob>> TakeAsync(int count) => FleetJobs.TakeAsync(backend.Jobs, roster, count);

    private Task EndAsync(IReadOnlyList<StartedJob> jobs) => FleetJobs.EndAsync(backend.Jobs, roster, jobs);
}
