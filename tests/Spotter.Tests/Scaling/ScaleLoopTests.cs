using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Autoscaler;
using Spotter.Backends;
using Spotter.Core.Jobs;
using Spotter.Core.Scaling;
using Spotter.Core.Vision;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Scaling;

public sealed class ScaleLoopTests : IAsyncLifetime
{
    private static readonly TimeSpan Safety = TimeSpan.FromSeconds(60);

    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private readonly RecordingFleet fleet = new();
    private readonly DecisionLog decisions = new();
    private readonly CancellationTokenSource end = new();
    private Backend backend = null!;
    private Dispatcher dispatcher = null!;
    private Task running = Task.CompletedTask;

    public Task InitializeAsync()
    {
        backend = fixture.Open(clock);
        dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, TimeSpan.FromSeconds(30));
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
        fleet.Launched.ShouldBe(0);

        await dispatcher.AcceptAsync([SampleJobs.New()], default);

        // The clock stands still: no tick can have done it.
        await fleet.FirstLaunch.WaitAsync(Safety);
        fleet.Launched.ShouldBe(1);
        decisions.Target.ShouldBe(1);
    }

    [Fact]
    public async Task A_drawing_of_our_own_is_work_too()
    {
        Start(backend.Jobs);
        await clock.WaitForTimersAsync();

        await dispatcher.AcceptAsync([SampleJobs.New(Engines.Annotate, isInternal: true)], default);

        await fleet.FirstLaunch.WaitAsync(Safety);
    }

    [Fact]
    public async Task A_store_that_fails_holds_the_fleet()
    {
        fleet.Workers = [new WorkerView("a", WorkerState.Idle, TimeSpan.FromHours(1), TimeSpan.FromHours(1))];
        var store = new FailingCounts(backend.Jobs);

        var decision = await Loop(store).StepAsync(default);
        (decision.Target, decision.Launch).ShouldBe((1, 0));
        fleet.Drained.ShouldBeEmpty();

        store.Fails = false;
        await Loop(store).StepAsync(default);
        fleet.Drained.ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_drain_that_cannot_be_taken_back_is_made_up_for_by_a_launch()
    {
        fleet.Workers = [new WorkerView("a", WorkerState.Draining, TimeSpan.FromHours(1), TimeSpan.Zero)];
        await dispatcher.AcceptAsync([SampleJobs.New()], default);

        await Loop(backend.Jobs).StepAsync(default);

        fleet.Launched.ShouldBe(1);
    }

    [Fact]
    public async Task Jobs_that_no_worker_would_take_start_none()
    {
        await dispatcher.AcceptAsync([SampleJobs.New(model: "gone"), SampleJobs.New(model: "gone")], default);
        (await Loop(backend.Jobs, queue => queue != "detect/gone").StepAsync(default)).Target.ShouldBe(0);

        await dispatcher.AcceptAsync([SampleJobs.New(model: "here")], default);
        (await Loop(backend.Jobs, queue => queue != "detect/gone").StepAsync(default)).Target.ShouldBe(1);
    }

    [Fact]
    public async Task A_drain_that_is_taken_back_launches_nothing()
    {
        fleet.Workers = [new WorkerView("a", WorkerState.Draining, TimeSpan.FromHours(1), TimeSpan.Zero)];
        fleet.CanCancel = true;
        await dispatcher.AcceptAsync([SampleJobs.New()], default);

        await Loop(backend.Jobs).StepAsync(default);

        fleet.Launched.ShouldBe(0);
    }

    [Fact]
    public async Task It_goes_on_after_a_fault_that_nobody_foresaw()
    {
        fleet.NextFault = new InvalidOperationException("not one of ours");
        await dispatcher.AcceptAsync([SampleJobs.New()], default);
        Start(backend.Jobs);

        while (!fleet.FirstLaunch.IsCompleted)
        {
            await clock.WaitForTimersAsync().WaitAsync(Safety);
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        fleet.Launched.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task It_ends_when_it_is_told_to()
    {
        Start(backend.Jobs);
        await clock.WaitForTimersAsync();
        await end.CancelAsync();
        await running.WaitAsync(Safety);
    }

    private void Start(IJobStore store) => running = Loop(store).RunAsync(end.Token);

    private ScaleLoop Loop(IJobStore store, Func<string, bool>? serves = null) =>
        new(store, fleet, new BacklogPolicy(new ScaleSettings { Max = 2 }), decisions, clock, NullLogger<ScaleLoop>.Instance, serves);

    /// <summary>A fleet that only writes down what it is told, so that decisions can be seen by themselves.</summary>
    private sealed class RecordingFleet : IFleet
    {
        private readonly TaskCompletionSource firstLaunch = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<WorkerView> Workers { get; set; } = [];

        public bool CanCancel { get; set; }

        public Exception? NextFault { get; set; }

        public int Launched { get; private set; }

        public List<string> Drained { get; } = [];

        public Task FirstLaunch => firstLaunch.Task;

        public Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancel) => Task.FromResult(Workers);

        public Task LaunchAsync(int count, CancellationToken cancel)
        {
            if (NextFault is { } fault)
            {
                NextFault = null;
                throw fault;
            }
            for (var i = 0; i < count; i++)
                Workers = [.. Workers, new WorkerView($"w{++Launched}", WorkerState.Booting, TimeSpan.Zero, TimeSpan.Zero)];
            firstLaunch.TrySetResult();
            return Task.CompletedTask;
        }

        public Task DrainAsync(string worker, CancellationToken cancel)
        {
            Drained.Add(worker);
            return Task.CompletedTask;
        }

        public Task<bool> CancelDrainAsync(string worker, CancellationToken cancel) => Task.FromResult(CanCancel);
    }
}
