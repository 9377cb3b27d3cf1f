using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends;
using Spotter.Core;
using Spotter.Fleets.Aws;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Tests.Aws;
using Spotter.Tests.Jobs;
using Spotter.Tests.Kubernetes;

namespace Spotter.Tests.Fleets;

/// <summary>One policy, whoever starts the workers: the same arrivals lead to the same decisions.</summary>
public sealed class SameDecisionsTests
{
    private const int Seconds = 600;
    private const int BootSeconds = 8;
    private const int ServiceSeconds = 4;

    private static readonly ScaleSettings Settings = new() { Max = 6, BootPrior = TimeSpan.FromSeconds(BootSeconds), ServicePrior = TimeSpan.FromSeconds(ServiceSeconds) };

    [Fact]
    public async Task Processes_machines_pods_and_KEDA_are_told_the_same()
    {
        var processes = await PlayAsync((clock, roster) => Task.FromResult<Actuator>(new Processes(clock, roster)));

        // From zero, up, ahead of what is regular, and back to zero.
        processes.Select(d => d.Target).Max().ShouldBeGreaterThan(3);
        processes[^1].Target.ShouldBe(0);
        processes.Zip(processes.Skip(1)).Count(p => p.First.Target != p.Second.Target).ShouldBeGreaterThan(5);

        Of(await PlayAsync(async (clock, roster) => await Machines.StartAsync(clock, roster))).ShouldBe(Of(processes));
        Of(await PlayAsync(async (clock, roster) => await Pods.StartAsync(clock, roster))).ShouldBe(Of(processes));
        Of(await PlayAsync((clock, roster) => Task.FromResult<Actuator>(new Keda(clock, roster)))).ShouldBe(Of(processes));
    }

    private static IEnumerable<string> Of(IReadOnlyList<ScaleDecision> decisions) => decisions.Select((d, second) => $"{second}: {d.Target} {d.Formula}");

    /// <summary>What comes in at a second: a steady stream that stops, bursts at regular times, and nothing at last.</summary>
    private static int Arrivals(int second) => second switch
    {
        < 90 => second % 3 == 0 ? 1 : 0,
        >= 150 and < 450 when second % 75 == 0 => 9,
        _ => 0,
    };

    private static async Task<IReadOnlyList<ScaleDecision>> PlayAsync(Func<ManualClock, WorkerRoster, Task<Actuator>> make)
    {
        await using var fixture = new LocalFixture();
        var clock = new ManualClock();
        var backend = fixture.Open(clock);
        var roster = new WorkerRoster(clock);
        await using var actuator = await make(clock, roster);
        var recorder = new Recorder(ScalePolicies.Create(Settings));
        var loop = new ScaleLoop(backend.Jobs, actuator.Fleet, recorder, new DecisionLog(), clock, NullLogger<ScaleLoop>.Instance) { Meter = actuator.Meter };
        var running = new List<(StartedJob Job, int Until)>();
        for (var second = 0; second < Seconds; second++)
        {
            foreach (var (job, _) in running.Where(r => r.Until == second))
            {
                await backend.Jobs.FinishAsync(job.Lease, new JobOutcome.Done(SampleJobs.Result(), new JobTimings { InferMs = 1000 * ServiceSeconds }, null), default);
                roster.Ended(job.Job.Worker!);
            }
            running.RemoveAll(r => r.Until == second);
            await backend.Jobs.AddAsync([.. Enumerable.Range(0, Arrivals(second)).Select(_ => SampleJobs.New())], default);
            await actuator.LiveAsync();
            running.AddRange((await TakeAsync(backend, roster)).Select(job => (job, second + ServiceSeconds)));
            await loop.StepAsync(default);
            actuator.Told.ShouldBe(recorder.Decisions[^1].Target, $"at second {second}");
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        // A policy is a pure function: what was seen leads to the same decisions in a replay.
        var replay = ScalePolicies.Create(Settings);
        recorder.Seen.Select(seen => replay.Decide(seen).Reason).ShouldBe(recorder.Decisions.Select(d => d.Reason));
        return recorder.Decisions;
    }

    /// <summary>Whoever is idle and stays takes a job, whoever worked last first.</summary>
    private static async Task<IReadOnlyList<StartedJob>> TakeAsync(Backend backend, WorkerRoster roster)
    {
        var idle = roster.List().Where(w => w.State == WorkerState.Idle).OrderBy(w => w.StateAge).Select(w => w.Id).ToList();
        if (idle.Count == 0)
            return [];
        var taken = await backend.Jobs.TakeAsync(new TakeRequest(["detect"], [JobPriority.Normal], idle, TimeSpan.FromHours(1)), default);
        foreach (var job in taken.Jobs)
            roster.Took(job.Job.Worker!);
        return taken.Jobs;
    }

    /// <summary>Notes what the policy was shown and what it decided.</summary>
    private sealed class Recorder(ScalePolicy policy) : ScalePolicy
    {
        public List<ScaleObservation> Seen { get; } = [];

        public List<ScaleDecision> Decisions { get; } = [];

        public override ScaleDecision Decide(ScaleObservation seen)
        {
            Seen.Add(seen);
            Decisions.Add(policy.Decide(seen));
            return Decisions[^1];
        }
    }

    /// <summary>What starts and ends workers. They boot for some seconds, and leave as soon as they may.</summary>
    private abstract class Actuator(ManualClock clock, WorkerRoster roster) : IAsyncDisposable
    {
        private readonly Dictionary<string, long> since = new(StringComparer.Ordinal);
        private readonly HashSet<string> left = new(StringComparer.Ordinal);

        public ScaleMeter Meter { get; } = new();

        public abstract IFleet Fleet { get; }

        /// <summary>How many workers it is to have, as it knows it after a decision: those that are there and stay.</summary>
        public virtual int Told => Fleet.List().Count(w => w.State != WorkerState.Draining);

        public virtual Task LiveAsync()
        {
            foreach (var worker in There())
                since.TryAdd(worker, clock.GetTimestamp());
            foreach (var (worker, at) in since.Where(w => !left.Contains(w.Key)).ToList())
            {
                if (!There().Contains(worker, StringComparer.Ordinal))
                    continue;
                if (!roster.Has(worker) && clock.GetElapsedTime(at) >= TimeSpan.FromSeconds(BootSeconds))
                    roster.Join(worker, 1, []);
                else if (roster.IsDraining(worker) && roster.LeaveIfDraining(worker))
                    left.Add(worker);
            }
            return Task.CompletedTask;
        }

        public abstract ValueTask DisposeAsync();

        protected abstract IReadOnlyList<string> There();

        protected FleetController Controller(IWorkerLauncher launcher) =>
            new(launcher, roster, _ => Task.FromResult(default(LostLeases)), clock, NullLogger<FleetController>.Instance) { Meter = Meter };
    }

    private sealed class Processes : Actuator
    {
        private readonly MemoryLauncher launcher;

        public Processes(ManualClock clock, WorkerRoster roster)
            : base(clock, roster)
        {
            launcher = new MemoryLauncher(clock) { Reports = false };
            Fleet = Controller(launcher);
        }

        public override IFleet Fleet { get; }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override IReadOnlyList<string> There() => [.. launcher.Names];
    }

    private sealed class Machines : Actuator
    {
        private readonly FakeEc2 ec2;

        private Machines(FakeEc2 ec2, ManualClock clock, WorkerRoster roster)
            : base(clock, roster)
        {
            this.ec2 = ec2;
            Fleet = Controller(new Ec2Launcher(ec2.Pool(), new LaunchPlaces([], []), clock, RandomSource.System, NullLogger<Ec2Launcher>.Instance));
        }

        public override IFleet Fleet { get; }

        public static async Task<Actuator> StartAsync(ManualClock clock, WorkerRoster roster) => new Machines(await FakeEc2.StartAsync(clock), clock, roster);

        public override ValueTask DisposeAsync() => ec2.DisposeAsync();

        protected override IReadOnlyList<string> There() => [.. ec2.Machines.Where(m => m.State is "pending" or "running").Select(m => m.Id)];
    }

    private sealed class Pods : Actuator
    {
        private readonly FakeCluster cluster;

        private Pods(FakeCluster cluster, ManualClock clock, WorkerRoster roster)
            : base(clock, roster)
        {
            this.cluster = cluster;
            Fleet = Controller(cluster.Launcher());
        }

        public override IFleet Fleet { get; }

        public static async Task<Actuator> StartAsync(ManualClock clock, WorkerRoster roster) => new Pods(await FakeCluster.StartAsync(clock), clock, roster);

        public override ValueTask DisposeAsync() => cluster.DisposeAsync();

        protected override IReadOnlyList<string> There() => [.. cluster.Up.Select(p => p.Name)];
    }

    /// <summary>
    /// A Deployment that KEDA and the horizontal pod autoscaler keep at the number that they are told, at once. Of more than
    /// that they end idle pods, but not those that the policy would choose: they know nothing of it.
    /// </summary>
    private sealed class Keda : Actuator
    {
        private readonly ObservedFleet fleet;
        private readonly WorkerRoster roster;
        private readonly List<string> pods = [];
        private int made;

        public Keda(ManualClock clock, WorkerRoster roster)
            : base(clock, roster)
        {
            this.roster = roster;
            fleet = new ObservedFleet(roster, rejoin: TimeSpan.Zero, clock) { Meter = Meter };
        }

        public override IFleet Fleet => fleet;

        public override int Told => fleet.Desired.Now.Workers!.Value;

        public override Task LiveAsync()
        {
            var replicas = fleet.Desired.Now.Workers ?? 0;
            while (pods.Count < replicas)
                pods.Add($"pod-{++made}");
            foreach (var pod in pods.OrderBy(p => roster.List().FirstOrDefault(w => w.Id == p)?.State == WorkerState.Busy).ThenBy(p => p, StringComparer.Ordinal).Take(pods.Count - replicas).ToList())
            {
                roster.Leave(pod);
                pods.Remove(pod);
            }
            return base.LiveAsync();
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override IReadOnlyList<string> There() => [.. pods];
    }
}
