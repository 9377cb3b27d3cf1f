using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

public sealed class SimulatorPropertyTests
{
    private static readonly Removal[] Removals =
        [Removal.AfterItsJob, Removal.AtOnce, new Removal.Grace(5), new Removal.Confirm(EverySeconds: 10, FirstSeconds: 3, Most: 2)];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nothing_is_lost_or_doubled_and_no_limit_passed_whatever_the_policy_does(int seed)
    {
        var draws = Draws.For("machine", seed);
        var machine = MachineKind.Ec2 with
        {
            BootSeconds = draws.Between(1, 60),
            Lanes = 1 + draws.Index(3),
            MaxWorkers = 1 + draws.Index(6),
            BootFailure = draws.Index(2) * 0.2,
            Crash = draws.Index(2) * 0.05,
            Poison = draws.Index(2) * 0.05,
        };
        var rules = new RunRules
        {
            Removal = Removals[draws.Index(Removals.Length)],
            MostRecentFirst = draws.Index(2) == 0,
            LookSeconds = machine.Lanes == 1 ? draws.Index(2) * 5 : 0,
            BootTimeout = 3,
        };
        var trace = SyntheticTraces.Create("burst60", machine, seed);
        long served = 0;
        var figures = new Simulator(machine, trace, rules, seed).Run(new Erratic(Draws.For("policy", seed)), Watch);

        (served + figures.DeadLettered + figures.Unfinished).ShouldBe(60);
        figures.Unfinished.ShouldBe(0);
        figures.WorkerSeconds.ShouldBeGreaterThanOrEqualTo(trace.Services.Sum() / machine.Lanes * (machine.Poison > 0 ? 0.5 : 1));
        if (rules.Removal is not (Removal.Terminate or Removal.Grace))
            figures.Interrupted.ShouldBe(0);

        void Watch(ScaleObservation seen, ScaleDecision decision)
        {
            served += seen.Served.Jobs;
            seen.Workers.Count.ShouldBeLessThanOrEqualTo(machine.MaxWorkers);
            seen.Workers.Select(w => w.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(seen.Workers.Count);
            seen.Workers.ShouldAllBe(w => w.Age >= w.StateAge && w.StateAge >= TimeSpan.Zero);
            seen.Arrived.ShouldBeInRange(0, 60);
            (seen.Queued!.Value + seen.Running!.Value + served).ShouldBeLessThanOrEqualTo(seen.Arrived);
            var (busy, draining) = (seen.Workers.Count(w => w.State == WorkerState.Busy), seen.Workers.Count(w => w.State == WorkerState.Draining));
            seen.Running.Value.ShouldBeInRange(busy, (busy + draining) * machine.Lanes);
            // Nobody idles while a job waits.
            if (seen.Queued > 0)
                seen.Workers.ShouldNotContain(w => w.State == WorkerState.Idle);
        }
    }

    /// <summary>Launches, drains and changes its mind without any sense, but never stops launching while there is work.</summary>
    private sealed class Erratic(Draws draws) : ScalePolicy
    {
        public override ScaleDecision Decide(ScaleObservation seen)
        {
            var done = seen.Queued + seen.Running == 0 && seen.Arrived == 60;
            var drain = seen.Workers.Where(w => w.State != WorkerState.Draining && (done || draws.Share() < 0.01)).Select(w => w.Id).ToList();
            var keep = seen.Workers.Where(w => w.State == WorkerState.Draining && !done && draws.Share() < 0.1).Select(w => w.Id).ToList();
            var launch = done || draws.Share() < 0.8 ? 0 : draws.Index(4);
            return new(0, launch, drain, keep, "by chance");
        }
    }
}
