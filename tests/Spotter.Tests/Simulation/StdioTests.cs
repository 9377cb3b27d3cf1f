using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

public sealed class StdioTests
{
    [Theory]
    [InlineData("spotter", "burst110")]
    [InlineData("spotter", "flash")]
    [InlineData("spotter", "cron")]
    [InlineData("controller", "flash")]
    [InlineData("list-length", "flash")]
    [InlineData("backlog-per-instance", "flash")]
    [InlineData("cpu", "flash")]
    public void Driven_over_standard_input_and_output_a_policy_decides_the_same(string policy, string kind)
    {
        var machine = MachineKind.Ec2;
        var trace = SyntheticTraces.Create(kind, machine, seed: 11);
        var settings = Comparison.For(machine, new ScaleSettings { Policy = policy });
        using var remote = new StdioPolicy(settings);

        var (here, figures) = Run(ScalePolicies.Create(settings));
        var (there, sameFigures) = Run(remote);

        there.Count.ShouldBe(here.Count);
        foreach (var (mine, other) in here.Zip(there))
        {
            other.Target.ShouldBe(mine.Target);
            other.Launch.ShouldBe(mine.Launch);
            other.Drain.ShouldBe(mine.Drain);
            other.CancelDrain.ShouldBe(mine.CancelDrain);
            other.Reason.ShouldBe(mine.Reason);
        }
        sameFigures.ShouldBe(figures);

        (List<ScaleDecision>, RunFigures) Run(ScalePolicy driven)
        {
            List<ScaleDecision> decisions = [];
            var run = new Simulator(machine, trace, new() { MostRecentFirst = true }, seed: 11).Run(driven, (_, decision) => decisions.Add(decision));
            return (decisions, run);
        }
    }
}
