using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

public sealed class LowerBoundTests
{
    private static readonly MachineKind Four = MachineKind.Ec2 with { MaxWorkers = 4 };

    public static TheoryData<string> Kinds => ["burst40", "trickle", "cron"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_policy_and_no_plan_falls_below_it(string kind)
    {
        var trace = SyntheticTraces.Create(kind, Four, seed: 7);
        var plans = ClairvoyantPlan.Try(Four, trace, sloSeconds: 60);
        var bound = LowerBound.Of(Four, trace, plans);
        var settings = Comparison.For(Four, new());

        foreach (var price in (double[])[0.1, 0.3, 1, 3])
        {
            foreach (var plan in plans)
                plan.Figures.Cost(price).ShouldBeGreaterThanOrEqualTo(bound.At(price) - 1e-6);
        }
        foreach (var name in Contenders.Compared(Four.MaxWorkers))
        {
            var entry = Contenders.Named(name).Enter(settings, Draws.For(name, 1));
            var figures = new Simulator(Four, trace, entry.Rules, seed: 1).Run(entry.Policy);
            foreach (var price in (double[])[0.1, 0.3, 1, 3])
                figures.Cost(price).ShouldBeGreaterThanOrEqualTo(bound.At(price) - 1e-6, name);
            figures.WorkerSeconds.ShouldBeGreaterThanOrEqualTo(bound.LeastBill(figures.TotalWait) - 1e-6, name);
        }
    }

    [Fact]
    public void For_one_job_it_is_what_that_job_costs()
    {
        var trace = new ArrivalTrace("one", [0], [6], 100);
        var plans = ClairvoyantPlan.Try(MachineKind.Ec2, trace, sloSeconds: 60);

        ClairvoyantPlan.Best(plans, 1).Figures.WorkerSeconds.ShouldBe(66, tolerance: 1e-9);
        LowerBound.Of(MachineKind.Ec2, trace, plans).AtPar.ShouldBe(60 + 66, tolerance: 1e-9);
    }

    [Theory]
    [InlineData("burst110", 1.1)]
    [InlineData("cron", 1.01)]
    [InlineData("trickle", 1.1)]
    [InlineData("poisson", 1.3)]
    public void It_is_close_to_the_best_plan(string kind, double ratio)
    {
        var trace = SyntheticTraces.Create(kind, MachineKind.Ec2, seed: 2);
        var plans = ClairvoyantPlan.Try(MachineKind.Ec2, trace, sloSeconds: 60);

        var bound = LowerBound.Of(MachineKind.Ec2, trace, plans).AtPar;
        (ClairvoyantPlan.Best(plans, 1).Figures.Cost() / bound).ShouldBeInRange(1, ratio);
    }

    [Fact]
    public void With_two_lanes_half_the_workers_are_enough()
    {
        var two = Four with { Lanes = 2 };
        var trace = SyntheticTraces.Create("burst40", Four, seed: 1);

        var bound = LowerBound.Of(two, trace, ClairvoyantPlan.Try(two, trace, 60)).AtPar;
        bound.ShouldBeLessThan(LowerBound.Of(Four, trace, ClairvoyantPlan.Try(Four, trace, 60)).AtPar);
        var entry = Contenders.Named("spotter").Enter(Comparison.For(two, new()), Draws.For("two", 1));
        new Simulator(two, trace, entry.Rules, seed: 1).Run(entry.Policy).Cost().ShouldBeGreaterThan(bound);
    }
}
