using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Reactive;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

public sealed class SimulatorTests
{
    [Fact]
    public void One_job_costs_a_boot_and_itself_and_waits_for_the_boot()
    {
        var (figures, _) = Run(Plain, new("one", [0], [6], 100), new Launcher(1));

        figures.TotalWait.ShouldBe(60, tolerance: 0.001);
        figures.Makespan.ShouldBe(66, tolerance: 0.001);
        figures.WorkerSeconds.ShouldBeInRange(66, 67); // up to a tick more until it is seen to be idle
    }

    [Fact]
    public void Waiting_on_eight_workers_is_what_queueing_theory_says()
    {
        // M/M/8 at a load of 6.4: arrivals and service times are exponential.
        const int servers = 8;
        const double load = 6.4, service = 6;
        var draws = Draws.For("M/M/8", 5);
        var (arrivals, services) = (new List<double>(), new List<double>());
        for (var t = 100.0; t < 400_000; t += draws.Exponential(load / service))
        {
            arrivals.Add(t);
            services.Add(draws.Exponential(1 / service));
        }

        var figures = new Simulator(Plain, new("M/M/8", arrivals, services, 400_000), new() { KeptWorkers = servers, TickSeconds = 30 }, seed: 1)
            .Run(new ControllerPolicy(new ScaleSettings { Min = servers, Max = servers }));

        (figures.TotalWait / arrivals.Count).ShouldBe(ErlangC(servers, load) * service / (servers - load), tolerance: 0.1);
    }

    [Theory]
    [InlineData("spotter")]
    [InlineData("controller")]
    [InlineData("list-length")]
    public void The_same_seed_gives_the_same_run(string policy)
    {
        var machine = MachineKind.Ec2.WithFaults();
        var trace = SyntheticTraces.Create("flash", machine, seed: 3);

        RunFigures Once() => new Comparisons(machine, trace).Run(policy);

        Once().ShouldBe(Once());
    }

    [Fact]
    public void The_policy_sees_what_happened()
    {
        var (_, seen) = Run(Plain with { MaxWorkers = 2 }, new("three", [0, 1, 62], [5, 5, 5], 200), new Launcher(2));

        seen[^1].Arrived.ShouldBe(3);
        seen.SelectMany(s => s.BootedSeconds).ShouldBe([60, 60]);
        seen.Where(s => s.Served.Jobs > 0).ShouldAllBe(s => Math.Abs(s.Served.Mean - 5) < 1e-6);
        seen.Sum(s => s.Served.Jobs).ShouldBe(3);
        seen.Select(s => s.Time).ShouldBeInOrder();
        var working = seen.First(s => s.Running == 2);
        working.Workers.ShouldAllBe(w => w.State == WorkerState.Busy);
        working.Queued.ShouldBe(0);
        seen.Max(s => s.CpuLoad)!.Value.ShouldBeGreaterThan(0.9);
        seen.Where(s => s.Workers.All(w => w.State == WorkerState.Booting)).ShouldAllBe(s => s.CpuLoad == null);
    }

    [Fact]
    public void A_job_that_arrives_while_there_is_no_worker_is_looked_at_at_once()
    {
        var (_, seen) = Run(Plain, new("late", [10.3], [1], 20), new Launcher(1));

        seen.Single(s => s.Queued == 1 && s.Workers.Count == 0).Time.TotalSeconds.ShouldBe(10.3, tolerance: 0.0001);
    }

    [Fact]
    public void Busy_workers_that_are_removed_at_once_lose_their_job_until_it_is_delivered_again()
    {
        // Both get a job at 60 s and are removed at about 62 s; the jobs come back a visibility timeout after their start.
        var rules = new RunRules { Removal = Removal.AtOnce };
        var policy = new Scripted(seen =>
            seen.Workers.Count == 0 && seen.Queued > 0 ? Scripted.Launch(seen, 2)
            : seen.Time.TotalSeconds is > 62 and < 63 ? Scripted.Drain(seen)
            : Scripted.Hold(seen));
        var figures = new Simulator(Plain, new("two", [0, 0], [30, 30], 300), rules, seed: 1).Run(policy);

        figures.Interrupted.ShouldBe(2);
        figures.Makespan.ShouldBe(60 + 60 + 60 + 30, tolerance: 1);
        figures.Unfinished.ShouldBe(0);
    }

    [Theory]
    [InlineData(20, 0, 80)]
    [InlineData(60, 1, 0)]
    public void A_grace_period_lets_a_job_end_if_it_is_long_enough(double service, int interrupted, double makespan)
    {
        var rules = new RunRules { Removal = new Removal.Grace(30) };
        var policy = new Scripted(seen =>
            seen.Workers.Count == 0 && seen.Queued > 0 ? Scripted.Launch(seen, 1)
            : seen.Time.TotalSeconds is > 62 and < 63 ? Scripted.Drain(seen)
            : Scripted.Hold(seen));
        var figures = new Simulator(Plain, new("one", [0], [service], 300), rules, seed: 1).Run(policy);

        figures.Interrupted.ShouldBe(interrupted);
        if (makespan > 0)
            figures.Makespan.ShouldBe(makespan, tolerance: 0.001);
    }

    [Fact]
    public void A_drained_worker_ends_its_job_and_a_drain_that_is_taken_back_lets_it_stay()
    {
        var policy = new Scripted(seen => seen.Time.TotalSeconds switch
        {
            < 1 => Scripted.Launch(seen, 1),
            > 62 and < 63 => Scripted.Drain(seen),
            > 63 and < 64 => new(1, 0, [], [seen.Workers.Single(w => w.State == WorkerState.Draining).Id], "keep"),
            _ => Scripted.Hold(seen),
        });
        var figures = new Simulator(Plain, new("two", [0, 0], [10, 10], 100), new() { KeptWorkers = 1 }, seed: 1).Run(policy);

        (figures.Launches, figures.Interrupted).ShouldBe((1, 0));
        figures.Makespan.ShouldBe(80, tolerance: 0.001);
    }

    [Fact]
    public void A_drain_that_cannot_be_taken_back_is_made_up_for_by_a_launch()
    {
        var policy = new Scripted(seen => seen.Time.TotalSeconds switch
        {
            < 1 => Scripted.Launch(seen, 1),
            > 62 and < 63 => Scripted.Drain(seen),
            > 63 and < 64 => new(1, 0, [], ["w1"], "keep"),
            _ => Scripted.Hold(seen),
        });
        // Without a job it was gone at once.
        new Simulator(Plain, new("later", [200], [1], 300), new(), seed: 1).Run(policy).Launches.ShouldBe(2);
    }

    [Fact]
    public void Terminations_are_confirmed_ten_at_a_time_and_paid_for_until_then()
    {
        var rules = new RunRules { Removal = new Removal.Confirm(EverySeconds: 10, FirstSeconds: 5, Most: 10) };
        var policy = new Scripted(seen => seen.Time.TotalSeconds switch
        {
            < 1 => Scripted.Launch(seen, 15),
            > 70 and < 71 => Scripted.Drain(seen),
            _ => Scripted.Hold(seen),
        });
        List<(double Time, int Workers)> course = [];
        new Simulator(Plain, new("one", [0], [1], 100), rules, seed: 1).Run(policy, (seen, _) => course.Add((seen.Time.TotalSeconds, seen.Workers.Count)));

        course.Last(c => c.Workers == 15).Time.ShouldBeInRange(74, 75); // the first look after 70 s is at 75 s
        course.Last(c => c.Workers == 5).Time.ShouldBeInRange(84, 85);
    }

    [Fact]
    public void A_job_that_kills_its_workers_is_given_up_after_three_and_the_others_are_not()
    {
        var machine = Plain with { Poison = 1, MaxWorkers = 1 };
        var figures = new Simulator(machine, new("bad", [0], [6], 100), new(), seed: 1).Run(new Launcher(1));

        (figures.Crashed, figures.DeadLettered, figures.Unfinished).ShouldBe((3, 1, 0));

        var crashing = Plain with { Crash = 0.2 };
        var trace = SyntheticTraces.Create("burst110", crashing, seed: 1);
        var others = new Simulator(crashing, trace, new(), seed: 1).Run(new Launcher(20));
        others.Crashed.ShouldBeGreaterThan(0);
        (others.DeadLettered, others.Unfinished).ShouldBe((0, 0));
    }

    [Fact]
    public void Workers_that_never_join_are_removed_by_the_platform_after_its_patience()
    {
        var machine = Plain with { BootFailure = 0.5 };
        var trace = SyntheticTraces.Create("burst110", machine, seed: 1);
        var figures = new Simulator(machine, trace, new() { BootTimeout = 2 }, seed: 1).Run(new Launcher(5));

        figures.Unfinished.ShouldBe(0);
        figures.Launches.ShouldBeGreaterThan(5);
    }

    [Fact]
    public void A_minimum_bill_is_paid_by_the_shortest_lived()
    {
        var policy = new Scripted(seen => seen.Time.TotalSeconds < 1 ? Scripted.Launch(seen, 1) : seen.Time.TotalSeconds is > 5 and < 6 ? Scripted.Drain(seen) : Scripted.Hold(seen));

        new Simulator(Plain with { MinBillSeconds = 60 }, new("none", [], [], 10), new(), seed: 1).Run(policy).WorkerSeconds.ShouldBe(60);
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 32)]
    [InlineData(4, 16)]
    public void Lanes_work_side_by_side(int lanes, double seconds)
    {
        var machine = Plain with { Lanes = lanes, MaxWorkers = 1 };
        var figures = new Simulator(machine, new("eight", [.. new double[8]], [8, 8, 8, 8, 8, 8, 8, 8], 200), new(), seed: 1).Run(new Launcher(1));

        figures.Makespan.ShouldBe(60 + seconds, tolerance: 0.001);
    }

    [Fact]
    public void A_policy_that_never_catches_up_is_stopped_and_its_jobs_count_as_late()
    {
        var figures = new Simulator(Plain, new("never", [0, 0], [1, 1], 100), new(), seed: 1).Run(new Scripted(Scripted.Hold));

        (figures.Unfinished, figures.SloMisses, figures.WorkerSeconds).ShouldBe((2, 2, 0));
        figures.TotalWait.ShouldBeGreaterThan(2 * 7000);
    }

    [Fact]
    public void The_controller_that_polls_ends_150_jobs_and_all_of_its_workers_within_8_minutes()
    {
        var machine = MachineKind.Small;
        var entry = Contenders.Named("controller-polling").Enter(Comparison.For(machine, new()), Draws.For("drain", 1));
        var (end, most) = (0.0, 0);
        var figures = new Simulator(machine, SyntheticTraces.Create("burst150", machine, seed: 1), entry.Rules, seed: 1).Run(
            entry.Policy, (seen, _) => (end, most) = (seen.Time.TotalSeconds, Math.Max(most, seen.Workers.Count)));

        most.ShouldBe(20);
        figures.Unfinished.ShouldBe(0);
        figures.Interrupted.ShouldBe(0);
        end.ShouldBeLessThan(480);
    }

    private static MachineKind Plain { get; } = new() { Name = "plain" };

    private static (RunFigures Figures, List<ScaleObservation> Seen) Run(MachineKind machine, ArrivalTrace trace, ScalePolicy policy)
    {
        List<ScaleObservation> seen = [];
        var figures = new Simulator(machine, trace, new(), seed: 1).Run(policy, (observation, _) => seen.Add(observation));
        return (figures, seen);
    }

    private static double ErlangC(int servers, double load)
    {
        double term = 1, sum = 0;
        for (var k = 0; k < servers; k++)
        {
            sum += term;
            term *= load / (k + 1);
        }
        var all = term * servers / (servers - load);
        return all / (sum + all);
    }

    /// <summary>As many workers while there is work, none without.</summary>
    private sealed class Launcher(int count) : ScalePolicy
    {
        public override ScaleDecision Decide(ScaleObservation seen)
        {
            var work = seen.Queued + seen.Running > 0;
            var idle = seen.Workers.Where(w => w.State == WorkerState.Idle).Select(w => w.Id).ToList();
            return work ? new(count, Math.Max(0, count - seen.Workers.Count), [], [], "work") : new(0, 0, idle, [], "no work");
        }
    }

    /// <summary>Does what a test says.</summary>
    private sealed class Scripted(Func<ScaleObservation, ScaleDecision> decide) : ScalePolicy
    {
        public override ScaleDecision Decide(ScaleObservation seen) => decide(seen);

        /// <summary>So many, unless there are some.</summary>
        public static ScaleDecision Launch(ScaleObservation seen, int count) =>
            seen.Workers.Count > 0 ? Hold(seen) : new(count, count, [], [], "launch");

        public static ScaleDecision Hold(ScaleObservation seen) => new(seen.Workers.Count, 0, [], [], "hold");

        public static ScaleDecision Drain(ScaleObservation seen) => new(0, 0, [.. seen.Workers.Select(w => w.Id)], [], "drain");
    }

    /// <summary>Runs a named policy with the fleet it is at home in.</summary>
    private sealed class Comparisons(MachineKind machine, ArrivalTrace trace)
    {
        public RunFigures Run(string name)
        {
            var entry = Contenders.Named(name).Enter(Comparison.For(machine, new()), Draws.For(name, 1));
            return new Simulator(machine, trace, entry.Rules, seed: 1).Run(entry.Policy);
        }
    }
}
