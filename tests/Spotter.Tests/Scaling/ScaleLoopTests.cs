using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Tests.Fleets;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Scaling;

public sealed class ScaleLoopTests : IAsyncLifetime
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private readonly MemoryLauncher launcher;
    private readonly WorkerRoster roster;
    private readonly FleetController fleet;
    private readonly DecisionLog decisions = new();
    private readonly CancellationTokenSource end = new();
    private Backend backend = null!;
    private Task running = Task.CompletedTask;

    public ScaleLoopTests()
    {
        launcher = new MemoryLauncher(clock);
        roster = new WorkerRoster(clock);
        fleet = new FleetController(launcher, roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance);
    }

    public Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await end.CancelAsync();
        await running.WaitAsync(Safety);
        end.Dispose();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task The_first_job_wakes_it_at_once_when_there_is_no_worker()
    {
        Start(backend.Jobs);
        await clock.WaitForTimersAsync();
        launcher.Started.ShouldBe(0);

        await backend.Jobs.AddAsync([SampleJobs.New()], default);

        // The clock stands still: no tick can have done it.
        await launcher.FirstStart.Task.WaitAsync(Safety);
        launcher.Started.ShouldBe(1);
        decisions.Target.ShouldBe(1);
    }

    [Fact]
    public async Task A_drawing_of_our_own_is_work_too()
    {
        Start(backend.Jobs);
        await clock.WaitForTimersAsync();

        await backend.Jobs.AddAsync([SampleJobs.New(AnnotateEngine.EngineName, isInternal: true)], default);

        await launcher.FirstStart.Task.WaitAsync(Safety);
    }

    [Fact]
    public async Task A_store_that_fails_holds_the_fleet()
    {
        roster.Join("a", 1, []);
        clock.Advance(TimeSpan.FromHours(1));
        var store = new FailingCounts(backend.Jobs);

        var decision = await Loop(store).StepAsync(default);
        (decision.Target, decision.Launch).ShouldBe((1, 0));
        roster.IsDraining("a").ShouldBeFalse();

        store.Fails = false;
        await Loop(store).StepAsync(default);
        roster.IsDraining("a").ShouldBeTrue();
    }

    [Fact]
    public async Task A_drain_that_cannot_be_taken_back_is_made_up_for_by_a_launch()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        await fleet.TendAsync(default);
        await fleet.DrainAsync("w1", default);
        roster.LeaveIfDraining("w1").ShouldBeTrue();
        await backend.Jobs.AddAsync([SampleJobs.New()], default);

        await Loop(backend.Jobs).StepAsync(default);

        launcher.Started.ShouldBe(2);
    }

    [Fact]
    public async Task Jobs_that_no_worker_would_take_start_none()
    {
        await backend.Jobs.AddAsync([SampleJobs.New(model: "gone"), SampleJobs.New(model: "gone")], default);
        (await Loop(backend.Jobs, queue => queue != "detect/gone").StepAsync(default)).Target.ShouldBe(0);

        await backend.Jobs.AddAsync([SampleJobs.New(model: "here")], default);
        (await Loop(backend.Jobs, queue => queue != "detect/gone").StepAsync(default)).Target.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_is_to_run_later_needs_no_worker_until_shortly_before()
    {
        await backend.Jobs.AddAsync([SampleJobs.New().Having(s => s with { NotBefore = clock.GetUtcNow() + TimeSpan.FromHours(1) })], default);
        var loop = Loop(backend.Jobs);
        (await loop.StepAsync(default)).Target.ShouldBe(0);

        clock.Advance(TimeSpan.FromMinutes(60) - TimeSpan.FromSeconds(1));

        (await loop.StepAsync(default)).Target.ShouldBe(1);
    }

    [Fact]
    public async Task A_drain_that_is_taken_back_launches_nothing()
    {
        roster.Join("a", 1, []);
        clock.Advance(TimeSpan.FromHours(1));
        await fleet.DrainAsync("a", default);
        await backend.Jobs.AddAsync([SampleJobs.New()], default);

        await Loop(backend.Jobs).StepAsync(default);

        launcher.Started.ShouldBe(0);
    }

    [Fact]
    public async Task It_goes_on_after_a_fault_that_nobody_foresaw()
    {
        launcher.NextFault = new InvalidOperationException("not one of ours");
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        Start(backend.Jobs);

        while (!launcher.FirstStart.Task.IsCompleted)
        {
            await clock.WaitForTimersAsync().WaitAsync(Safety);
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        launcher.Started.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task It_ends_when_it_is_told_to()
    {
        Start(backend.Jobs);
        await clock.WaitForTimersAsync();
        await end.CancelAsync();
        await running.WaitAsync(Safety);
    }

    [Fact]
    public async Task It_tells_the_policy_what_was_measured_since_the_last_look()
    {
        var meter = new ScaleMeter();
        var policy = new RecordingPolicy();
        var loop = Loop(policy, meter);
        // From here on, however much came before.
        await loop.StepAsync(default);
        policy.Seen.Clear();
        await backend.Jobs.AddAsync([SampleJobs.New(), SampleJobs.New(), SampleJobs.New()], default);
        await ServeAsync(0.5);
        meter.Booted(TimeSpan.FromSeconds(2));
        await loop.StepAsync(default);
        clock.Advance(TimeSpan.FromSeconds(1));
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        await loop.StepAsync(default);

        policy.Seen[0].Arrived.ShouldBe(3);
        policy.Seen[0].Served.ShouldBe(ServedJobs.One(0.5));
        policy.Seen[0].BootedSeconds.ShouldBe([2]);
        policy.Seen[0].CpuLoad.ShouldBe(0.25);
        (policy.Seen[1].Time - policy.Seen[0].Time).ShouldBe(TimeSpan.FromSeconds(1));
        policy.Seen[1].Arrived.ShouldBe(4);
        policy.Seen[1].Served.ShouldBe(default);
        meter.Measured.ServiceSeconds.ShouldBe(0.5);
        policy.Seen[1].BootedSeconds.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_policy_has_learned_is_taken_up_at_the_start_and_kept_every_minute_and_at_the_end()
    {
        var memory = new Memory { State = "as of before" };
        var policy = new RecordingPolicy { Learned = "first" };
        var loop = Loop(policy, new ScaleMeter(), memory);
        running = loop.RunAsync(end.Token);
        await clock.WaitForTimersAsync();
        policy.Restored.ShouldBe("as of before");

        for (var second = 0; second < 70 && memory.State != "first"; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await clock.WaitForTimersAsync().WaitAsync(Safety);
        }
        memory.State.ShouldBe("first");

        policy.Learned = "second";
        await end.CancelAsync();
        await running.WaitAsync(Safety);
        memory.State.ShouldBe("second");
    }

    [Fact]
    public async Task What_jobs_take_is_measured_also_when_the_service_ends_before_the_next_look()
    {
        var meter = new ScaleMeter();
        running = Loop(new RecordingPolicy(), meter).RunAsync(end.Token);
        await clock.WaitForTimersAsync();
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        await ServeAsync(0.5);

        await end.CancelAsync();
        await running.WaitAsync(Safety);

        meter.Measured.ServiceSeconds.ShouldBe(0.5);
    }

    [Fact]
    public async Task A_memory_that_cannot_be_read_is_begun_anew()
    {
        var memory = new Memory { State = "broken" };
        var policy = new RecordingPolicy { Learned = "new", RestoreFault = new SpotterException(ErrorCodes.InvalidSettings, "It can't be read.") };
        running = Loop(policy, new ScaleMeter(), memory).RunAsync(end.Token);
        await clock.WaitForTimersAsync();
        await end.CancelAsync();
        await running.WaitAsync(Safety);

        memory.State.ShouldBe("new");
    }

    [Fact]
    public async Task What_is_not_launched_is_said_in_the_decision()
    {
        launcher.Capacity = 0;
        await backend.Jobs.AddAsync([SampleJobs.New()], default);

        var decision = await Loop(backend.Jobs).StepAsync(default);

        decision.Launch.ShouldBe(0);
        decisions.Latest()[0].Decision.Reason.ShouldContain("1 to be launched later");
    }

    [Fact]
    public async Task A_fleet_that_fails_leaves_its_failure_in_the_decisions()
    {
        launcher.NextFault = new InvalidOperationException("no capacity");
        await backend.Jobs.AddAsync([SampleJobs.New()], default);

        await Should.ThrowAsync<InvalidOperationException>(() => Loop(backend.Jobs).StepAsync(default));

        decisions.Latest()[0].Decision.Reason.ShouldContain("no capacity");
    }

    [Fact]
    public async Task Each_look_leaves_a_sample_for_the_chart()
    {
        var series = new ScaleSeries();
        var meter = new ScaleMeter();
        var loop = new ScaleLoop(backend.Jobs, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance) { Meter = meter, Series = series };
        await loop.StepAsync(default);
        await backend.Jobs.AddAsync([SampleJobs.New(), SampleJobs.New()], default);
        await loop.StepAsync(default);
        clock.Advance(TimeSpan.FromSeconds(1));
        await loop.StepAsync(default);

        var samples = series.Read(clock.GetUtcNow() - TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1));
        samples.Select(s => (s.Queued, s.Arrived, s.Wanted, s.Ready, s.Booting)).ShouldBe([(2, 2, 2, 0, 0), (2, 0, 2, 0, 2)]);
    }

    [Fact]
    public async Task Of_two_gateways_one_scales_and_the_other_stands_by_until_that_one_ends()
    {
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        var lease = backend.Controllers;
        await lease.HoldAsync("pool", "other", TimeSpan.FromSeconds(15), default);
        var loop = new ScaleLoop(backend.Jobs, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance)
        {
            Term = new ControllerTerm(lease, () => "pool", "this", clock),
        };

        var decision = await loop.StepAsync(default);
        (decision.Target, launcher.Started).ShouldBe((0, 0));
        decisions.Latest()[0].Decision.Reason.ShouldContain("gateway other scales this pool");

        clock.Advance(TimeSpan.FromSeconds(15));
        await loop.StepAsync(default);
        launcher.Started.ShouldBe(1);
        (await lease.HoldAsync("pool", "other", TimeSpan.FromSeconds(15), default)).ShouldBe("this");
    }

    [Fact]
    public async Task Whoever_has_lost_the_pool_lets_its_own_workers_go_and_nobody_elses()
    {
        await fleet.LaunchAsync(1, default);
        roster.Join("w1", 1, []);
        roster.Join("elsewhere", 1, []);
        var lease = backend.Controllers;
        await lease.HoldAsync("pool", "other", TimeSpan.FromSeconds(15), default);
        var loop = new ScaleLoop(backend.Jobs, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance)
        {
            Term = new ControllerTerm(lease, () => "pool", "this", clock),
        };

        await loop.StepAsync(default);

        (roster.IsDraining("w1"), roster.IsDraining("elsewhere")).ShouldBe((true, false));
    }

    [Fact]
    public async Task Whoever_stands_by_leaves_workers_that_are_shared_to_the_one_that_scales()
    {
        launcher.IsShared = true;
        await fleet.LaunchAsync(2, default);
        roster.Join("w1", 1, []);
        var lease = backend.Controllers;
        await lease.HoldAsync("pool", "other", TimeSpan.FromDays(1), default);
        var loop = new ScaleLoop(backend.Jobs, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance)
        {
            Term = new ControllerTerm(lease, () => "pool", "this", clock),
        };

        await loop.StepAsync(default);
        // To this one w2 seems never to have joined: it has joined the other.
        clock.Advance(TimeSpan.FromHours(1));
        await loop.StepAsync(default);

        roster.IsDraining("w1").ShouldBeFalse();
        launcher.Stopped.ShouldBeEmpty();
    }

    [Fact]
    public async Task Arrivals_are_those_of_the_queues_that_are_served_and_none_is_lost_to_a_fast_worker()
    {
        await backend.Jobs.AddAsync([SampleJobs.New(model: "here"), SampleJobs.New(model: "gone")], default);
        var policy = new RecordingPolicy();
        var loop = new ScaleLoop(
            backend.Jobs, fleet, policy, decisions, clock, NullLogger<ScaleLoop>.Instance, queue => queue != "detect/gone");
        await loop.StepAsync(default);

        await backend.Jobs.AddAsync([SampleJobs.New(model: "here"), SampleJobs.New(model: "here"), SampleJobs.New(model: "gone")], default);
        var taken = await backend.Jobs.TakeAsync(new TakeRequest(["detect/here"], [JobPriority.Normal], ["a", "b"], TimeSpan.FromSeconds(30)), default);
        taken.Jobs.Count.ShouldBe(2);
        await loop.StepAsync(default);

        policy.Seen.Select(s => s.Arrived).ShouldBe([0, 2]);
    }

    [Fact]
    public void A_store_that_does_not_count_what_leaves_its_lines_tells_no_arrivals()
    {
        var flow = new StoreFlow();

        flow.Note(new StoreCounts(new JobCounts(3, 0, 0, 0, 0, 0), [new Backlog("detect", JobPriority.Normal, 3, 0)]), serves: null);
        flow.Arrived.ShouldBeNull();
    }

    [Fact]
    public async Task Jobs_that_were_done_are_those_of_the_queues_that_are_served_since_the_first_look()
    {
        var policy = new RecordingPolicy();
        var loop = new ScaleLoop(
            backend.Jobs, fleet, policy, decisions, clock, NullLogger<ScaleLoop>.Instance, queue => queue != "detect/gone");
        await backend.Jobs.AddAsync([SampleJobs.New(), SampleJobs.New(), SampleJobs.New(model: "gone")], default);
        await ServeAsync(1);
        await loop.StepAsync(default);
        await ServeAsync(2);
        await ServeAsync(4, "detect/gone");
        await loop.StepAsync(default);

        policy.Seen.Select(s => s.Served).ShouldBe([default, ServedJobs.One(2)]);
    }

    [Fact]
    public async Task Who_takes_over_the_pool_is_told_of_the_jobs_that_were_done_while_it_stood_by()
    {
        var policy = new RecordingPolicy();
        var lease = backend.Controllers;
        await lease.HoldAsync("pool", "other", TimeSpan.FromSeconds(15), default);
        var loop = new ScaleLoop(backend.Jobs, fleet, policy, decisions, clock, NullLogger<ScaleLoop>.Instance)
        {
            Term = new ControllerTerm(lease, () => "pool", "this", clock),
        };
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        await loop.StepAsync(default);
        await ServeAsync(2);
        await backend.Jobs.AddAsync([SampleJobs.New(), SampleJobs.New()], default);
        await loop.StepAsync(default);
        policy.Seen.ShouldBeEmpty();

        clock.Advance(TimeSpan.FromSeconds(15));
        await backend.Jobs.AddAsync([SampleJobs.New()], default);
        await loop.StepAsync(default);

        policy.Seen.ShouldHaveSingleItem().Served.ShouldBe(ServedJobs.One(2));
        policy.Seen[0].Arrived.ShouldBe(1, "what came while it stood by is no burst of now");
    }

    /// <summary>A worker does the next job of a queue.</summary>
    private async Task ServeAsync(double seconds, string queue = "detect")
    {
        var taken = await backend.Jobs.TakeAsync(new TakeRequest([queue], [JobPriority.Normal], ["w"], TimeSpan.FromSeconds(30)), default);
        var done = new JobOutcome.Done(SampleJobs.Result(), new JobTimings { FetchMs = 50, InferMs = 1000 * seconds }, null);
        (await backend.Jobs.FinishAsync(taken.Jobs.ShouldHaveSingleItem().Lease, done, default)).ShouldNotBeNull();
    }

    private ScaleLoop Loop(ScalePolicy policy, ScaleMeter meter, IPolicyMemory? memory = null) =>
        new(backend.Jobs, fleet, policy, decisions, clock, NullLogger<ScaleLoop>.Instance) { Meter = meter, Memory = memory, CpuLoad = () => 0.25 };

    private void Start(IJobStore store)
    {
        var changes = new ChangeFeed(store, clock);
        running = Task.WhenAll(changes.RunAsync(_ => { }, end.Token), Loop(store, changes: changes).RunAsync(end.Token));
    }

    private ScaleLoop Loop(IJobStore store, Func<string, bool>? serves = null, ChangeFeed? changes = null) =>
        new(store, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance, serves) { Changes = changes };

    private sealed class RecordingPolicy : ScalePolicy
    {
        public List<ScaleObservation> Seen { get; } = [];

        public string? Learned { get; set; }

        public string? Restored { get; private set; }

        public SpotterException? RestoreFault { get; init; }

        public override ScaleDecision Decide(ScaleObservation seen)
        {
            Seen.Add(seen);
            return new(0, 0, [], [], "nothing to do");
        }

        public override string? Save() => Learned;

        public override void Restore(string state)
        {
            if (RestoreFault is { } fault)
                throw fault;
            Restored = state;
        }
    }

    private sealed class Memory : IPolicyMemory
    {
        public string? State { get; set; }

        public string? Load() => State;

        public void Save(string state) => State = state;
    }
}
