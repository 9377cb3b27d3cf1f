using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Fleets.Kubernetes;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Kubernetes;

/// <summary>The pods of a Deployment under the controller and a policy that wants a worker for each job, at most four.</summary>
public sealed class KubernetesFleetTests : IAsyncLifetime
{
    private const int Most = 4;

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private Backend backend = null!;
    private FakeCluster cluster = null!;
    private WorkerRoster roster = null!;
    private KubernetesLauncher launcher = null!;
    private FleetController fleet = null!;
    private ScaleLoop loop = null!;

    // Whose jobs were taken back.
    private readonly List<string> released = [];

    public async Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        cluster = await FakeCluster.StartAsync(clock);
        BeginAnew();
    }

    public async Task DisposeAsync()
    {
        await launcher.DisposeAsync();
        await cluster.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_pod_ends_only_once_its_worker_has_left_and_a_busy_one_never()
    {
        await AddAsync(Most);
        await StepAsync();
        Join();
        var busy = await TakeAsync(1);
        foreach (var job in await backend.Jobs.ListAsync(new JobFilter { State = JobState.Queued }, default))
            await backend.Jobs.CancelAsync(job.Id, by: null, default);

        await StepAsync();
        var draining = cluster.Up.Where(p => roster.IsDraining(p.Name)).ToList();
        draining.Count.ShouldBe(Most - 1);
        await PassAsync();
        cluster.Up.Count.ShouldBe(Most, "none has left yet");
        cluster.Count("PATCH /api/").ShouldBe(0, "nobody is marked who may stay");

        foreach (var pod in draining)
            roster.LeaveIfDraining(pod.Name).ShouldBeTrue();
        await PassAsync();
        cluster.Up.ShouldHaveSingleItem().Name.ShouldBe(busy[0].Job.Worker);
        cluster.Replicas.ShouldBe(1);

        for (var i = 0; i < 5; i++)
            await PassAsync();
        cluster.Up.ShouldHaveSingleItem();

        await EndAsync(busy);
        await StepAsync();
        roster.LeaveIfDraining(cluster.Up[0].Name).ShouldBeTrue();
        await PassAsync();
        cluster.Up.ShouldBeEmpty();
        fleet.Health.ShouldBe(default, "nobody died");
    }

    [Fact]
    public async Task A_drain_that_is_taken_back_marks_and_ends_nothing()
    {
        await AddAsync(2);
        await StepAsync();
        Join();
        await EndAsync(await TakeAsync(2));
        await StepAsync();
        cluster.Up.ShouldAllBe(p => roster.IsDraining(p.Name));

        await AddAsync(2);
        await StepAsync();

        cluster.Up.ShouldAllBe(p => !roster.IsDraining(p.Name));
        cluster.Up.Count.ShouldBe(2);
        cluster.Count("PATCH /api/").ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_takes_over_has_all_pods_and_leaves_none_behind()
    {
        await AddAsync(Most);
        await StepAsync();
        Join();
        await EndAsync(await TakeAsync(Most));
        await StepAsync();
        // One had left, and nobody had ended its pod yet; another one had been marked.
        var left = cluster.Up[1].Name;
        roster.LeaveIfDraining(left).ShouldBeTrue();
        cluster.Up[2].Annotations[WorkerPod.CostAnnotation] = "-1000";

        BeginAnew();
        await AddAsync(Most);
        (await StepAsync()).Launch.ShouldBe(0, "those that are there come over");
        Join(besides: left);
        await EndAsync(await TakeAsync(Most - 1));
        await EndAsync(await TakeAsync(1));
        cluster.Pods.Count.ShouldBe(Most);

        await StepAsync();
        foreach (var pod in cluster.Up)
            roster.LeaveIfDraining(pod.Name);
        for (var i = 0; i < 60 && cluster.Up.Count > 0; i++)
            await PassAsync();
        cluster.Up.ShouldBeEmpty("no pod is an orphan");
        cluster.Replicas.ShouldBe(0);
    }

    [Fact]
    public async Task A_pod_that_is_lost_with_its_node_is_replaced_and_the_new_one_joins()
    {
        await AddAsync(2);
        await StepAsync();
        Join();
        await TakeAsync(2);
        var lost = cluster.Up[0];

        cluster.Lose(lost);
        await StepAsync();

        roster.Has(lost.Name).ShouldBeFalse();
        cluster.Up.Count.ShouldBe(2);
        Join();
        (await StepAsync()).Launch.ShouldBe(0);
        cluster.Up.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_pod_that_somebody_else_ends_keeps_its_job_until_its_worker_has_left()
    {
        await AddAsync(1);
        await StepAsync();
        Join();
        var job = (await TakeAsync(1)).ShouldHaveSingleItem();
        var pod = cluster.Up.ShouldHaveSingleItem();

        // The worker gets its time, and says that it takes no more.
        cluster.Evict(pod);
        roster.Leaving(pod.Name);
        for (var i = 0; i < 3; i++)
            await StepAsync();

        roster.Has(pod.Name).ShouldBeTrue();
        released.Contains(pod.Name, StringComparer.Ordinal).ShouldBeFalse();
        await EndAsync([job]);
        roster.LeaveIfDraining(pod.Name);
        await StepAsync();
        cluster.End(pod);
        await StepAsync();
        released.Contains(pod.Name, StringComparer.Ordinal).ShouldBeTrue();
        fleet.Health.ShouldBe(default, "nobody died");
    }

    [Fact]
    public async Task A_pod_that_never_joins_is_ended_after_five_minutes_and_replaced()
    {
        cluster.Prepare = pod => (pod.Phase, pod.IsReady, pod.Node, pod.Unschedulable) = ("Pending", false, null, "no node");
        await AddAsync(1);
        await StepAsync();
        var stuck = cluster.Up.ShouldHaveSingleItem();

        for (var i = 0; i < 40 && stuck.DeletedAt is null; i++)
            await StepAsync();

        stuck.DeletedAt.ShouldNotBeNull();
        (stuck.DeletedAt.Value - stuck.CreatedAt).TotalMinutes.ShouldBeInRange(4, 6);
        fleet.Health.FailedBoots.ShouldBeLessThan(3);
    }

    /// <summary>A gateway that has just been started.</summary>
    private void BeginAnew()
    {
        roster = new WorkerRoster(clock);
        launcher = cluster.Launcher();
        fleet = new FleetController(launcher, roster, TakeBack, clock, NullLogger<FleetController>.Instance);
        loop = new ScaleLoop(
            backend.Jobs, fleet, ScalePolicies.Create(new ScaleSettings { Max = Most, Lanes = 1, Policy = "controller" }), new DecisionLog(), clock, NullLogger<ScaleLoop>.Instance);
    }

    private Task<LostLeases> TakeBack(WorkerExit exit)
    {
        released.Add(exit.Worker);
        return Task.FromResult(default(LostLeases));
    }

    private void Join(string? besides = null)
    {
        foreach (var pod in cluster.Up.Where(p => p.Name != besides))
            roster.Join(pod.Name, 1, []);
    }

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
        foreach (var pod in cluster.Pods.Where(p => p.DeletedAt is not null))
            cluster.End(pod);
    }

    private Task AddAsync(int count) => FleetJobs.AddAsync(backend.Jobs, count);

    private Task<IReadOnlyList<StartedJob>> TakeAsync(int count) => FleetJobs.TakeAsync(backend.Jobs, roster, count);

    private Task EndAsync(IReadOnlyList<StartedJob> jobs) => FleetJobs.EndAsync(backend.Jobs, roster, jobs);
}
