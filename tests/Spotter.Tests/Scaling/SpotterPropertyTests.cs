using FsCheck;
using FsCheck.Fluent;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Scaling;

/// <summary>What holds whatever is seen.</summary>
public sealed class SpotterPropertyTests
{
    private static readonly MachineKind Machine = MachineKind.Ec2;

    [Fact]
    public void A_decision_fits_what_was_seen_whatever_that_is() => Check.QuickThrowOnFailure(Prop.ForAll(
        Histories.ToArbitrary(),
        history =>
        {
            var (settings, seen) = history;
            var policy = ScalePolicies.Create(settings);
            foreach (var observation in seen)
            {
                var decision = policy.Decide(observation);
                var active = observation.Workers.Count(w => w.State != WorkerState.Draining);
                var states = observation.Workers.ToDictionary(w => w.Id, w => w.State, StringComparer.Ordinal);

                decision.Launch.ShouldBeGreaterThanOrEqualTo(0);
                decision.Drain.Distinct(StringComparer.Ordinal).Count().ShouldBe(decision.Drain.Count);
                decision.Drain.ShouldAllBe(id => states[id] == WorkerState.Idle || states[id] == WorkerState.Booting);
                decision.CancelDrain.ShouldAllBe(id => states[id] == WorkerState.Draining);
                decision.Reason.ShouldNotBeNullOrWhiteSpace();
                if (observation.Queued is not null)
                    decision.Target.ShouldBeGreaterThanOrEqualTo(settings.Min);
                // More than the limit are only those that are there and can't be let go yet.
                decision.Target.ShouldBeLessThanOrEqualTo(Math.Max(settings.Max, active));
            }
        }));

    [Fact]
    public void More_that_waits_never_asks_for_fewer_workers() => Check.QuickThrowOnFailure(Prop.ForAll(
        Histories.ToArbitrary(), Gen.Choose(0, 50).ToArbitrary(),
        (history, more) =>
        {
            var (settings, seen) = history;
            if (seen[^1].Queued is not { } queued)
                return;
            var longer = seen[^1] with { Queued = queued + more };

            Last(settings, [.. seen.SkipLast(1), longer]).Target.ShouldBeGreaterThanOrEqualTo(Last(settings, seen).Target);
        }));

    [Fact]
    public void The_same_observations_give_the_same_decisions() => Check.QuickThrowOnFailure(Prop.ForAll(
        Histories.ToArbitrary(),
        history => Last(history.Settings, history.Seen).Reason.ShouldBe(Last(history.Settings, history.Seen).Reason)));

    [Theory]
    [InlineData(0.5)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(50)]
    public void Under_a_constant_load_the_fleet_settles(double secondsBetweenJobs)
    {
        const double hours = 3;
        var arrivals = Enumerable.Range(1, (int)(hours * 3600 / secondsBetweenJobs)).Select(i => i * secondsBetweenJobs).ToList();
        var trace = new ArrivalTrace("constant", arrivals, [.. arrivals.Select(_ => 6.0)], hours * 3600);
        var changes = new List<double>();

        new Simulator(Machine, trace, new RunRules { MostRecentFirst = true }, seed: 1).Run(Policy(new()), (seen, decision) =>
        {
            if (decision.Launch > 0 || decision.Drain.Count > 0)
                changes.Add(seen.Time.TotalSeconds);
        });

        changes.Where(time => time is > 3600 and < hours * 3600).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("onoff", 3.0)]
    [InlineData("diurnal", 5.0)]
    [InlineData("burst110", 0.2)]
    [InlineData("poisson", 0.05)]
    public void A_daily_cap_is_never_exceeded(string kind, double hours)
    {
        var trace = SyntheticTraces.Create(kind, Machine, seed: 3);

        var free = new Simulator(Machine, trace, new RunRules(), seed: 1).Run(Policy(new()));
        var capped = new Simulator(Machine, trace, new RunRules(), seed: 1).Run(Policy(new() { DailyWorkerHours = hours }));

        free.WorkerSeconds.ShouldBeGreaterThan(hours * 3600, "the cap is one that matters");
        capped.WorkerSeconds.ShouldBeLessThanOrEqualTo(hours * 3600);
        capped.WorkerSeconds.ShouldBeGreaterThan(hours * 3600 * 0.7, "what may be spent is spent");
        capped.Interrupted.ShouldBe(0);
    }

    private static ScalePolicy Policy(ScaleSettings settings) => ScalePolicies.Create(settings with
    {
        Max = Machine.MaxWorkers,
        BootPrior = TimeSpan.FromSeconds(Machine.BootSeconds),
        ServicePrior = TimeSpan.FromSeconds(Machine.ServiceSeconds),
        MinBill = TimeSpan.FromSeconds(Machine.MinBillSeconds),
    });

    private static ScaleDecision Last(ScaleSettings settings, IReadOnlyList<ScaleObservation> seen)
    {
        var policy = ScalePolicies.Create(settings);
        return seen.Select(policy.Decide).ToList()[^1];
    }

    private static readonly Gen<ScaleSettings> AnySettings =
        from min in Gen.Choose(0, 4)
        from more in Gen.Choose(0, 12)
        from lanes in Gen.Choose(1, 5)
        from boot in Gen.Choose(0, 90)
        from service in Gen.Choose(1, 40)
        from bill in Gen.Choose(0, 60)
        from preset in Gen.Elements(ScalePreset.Eco, ScalePreset.Balanced, ScalePreset.Fast)
        select new ScaleSettings
        {
            Min = min,
            Max = min + more,
            Lanes = lanes,
            Preset = preset,
            BootPrior = TimeSpan.FromSeconds(boot),
            ServicePrior = TimeSpan.FromSeconds(service),
            MinBill = TimeSpan.FromSeconds(bill),
        };

    private static readonly Gen<Look> AnyLook =
        from seconds in Gen.Choose(0, 400)
        from queued in Gen.Frequency((9, Gen.Choose(0, 40).Select(n => (int?)n)), (1, Gen.Constant((int?)null)))
        from running in Gen.Choose(0, 20)
        from came in Gen.Choose(0, 60)
        from workers in Gen.Choose(0, 10)
        from states in Gen.Elements(WorkerState.Booting, WorkerState.Idle, WorkerState.Busy, WorkerState.Draining).ListOf(workers)
        from ages in Gen.Choose(0, 400).ListOf(workers)
        from served in Gen.Choose(0, 90).ListOf(2)
        select new Look(
            seconds / 10.0, queued, running, came, [.. states.Zip(ages).Select((s, i) => new WorkerView($"w{i}", s.First, Seconds(s.Second), Seconds(s.Second / 2.0)))],
            [.. served.Select(s => (double)s)]);

    private static readonly Gen<(ScaleSettings Settings, IReadOnlyList<ScaleObservation> Seen)> Histories =
        from settings in AnySettings
        from first in AnyLook
        from looks in AnyLook.ListOf()
        select (settings, Seen([first, .. looks]));

    private static IReadOnlyList<ScaleObservation> Seen(IReadOnlyList<Look> looks)
    {
        var (time, arrived) = (0.0, 0L);
        var seen = new List<ScaleObservation>();
        foreach (var look in looks)
        {
            time += look.Seconds;
            arrived += look.Came;
            seen.Add(new()
            {
                Time = Seconds(time),
                Queued = look.Queued,
                Running = look.Queued is null ? null : look.Running,
                Arrived = arrived,
                Workers = look.Workers,
                Served = look.Served.Aggregate(default(ServedJobs), (sum, seconds) => sum + ServedJobs.One(seconds)),
                BootedSeconds = look.Served,
            });
        }
        return seen;
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private sealed record Look(double Seconds, int? Queued, int Running, int Came, IReadOnlyList<WorkerView> Workers, IReadOnlyList<double> Served);
}
