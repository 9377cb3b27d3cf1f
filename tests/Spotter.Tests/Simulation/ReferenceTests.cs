using System.Text.Json;
using Spotter.Scaling.Simulation;

namespace Spotter.Tests.Simulation;

/// <summary>Our simulator against the reference: the same traces, job by job, the same policies, figures within 5 %.</summary>
public sealed class ReferenceTests : IDisposable
{
    private const double Close = 0.05;

    // The figures of a single trace vary with the moments at which a policy first looks.
    private const double CloseOnOneTrace = 0.15;

    private static readonly MachineKind Machine = MachineKind.Ec2;

    private static readonly Dictionary<string, string> Policies = new(StringComparer.Ordinal)
    {
        ["seed"] = "controller",
        ["seed-literal"] = "controller-polling",
        ["aws-tt"] = "backlog-per-instance",
        ["aws-tt-10s"] = "backlog-per-instance-10s",
        ["keda-seed"] = "list-length",
        ["keda-default"] = "list-length-unconfigured",
    };

    private static readonly string[] Traces = ["burst110", "burst150", "poisson", "onoff", "diurnal", "flash", "trickle", "cron", "goog", "aapl"];

    private static readonly string[] Bounded = ["burst110", "trickle", "cron"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [ReferenceFact]
    public async Task The_table_of_the_reference_is_reproduced()
    {
        var figures = await ReferenceSimulator.RunAsync(folder.Path, Machine, repetitions: 6, Policies.Keys, Traces, Bounded);

        List<string> apart = [];
        var ratios = Policies.Keys.ToDictionary(name => name, _ => new List<(string Figure, double Ratio)>(), StringComparer.Ordinal);
        foreach (var traceName in Traces)
        {
            var trace = ReferenceSimulator.Read(folder.Path, traceName, figures, Machine);
            foreach (var (reference, ours) in Policies)
            {
                var theirs = figures.GetProperty(traceName).GetProperty("policies").GetProperty(reference);
                foreach (var (figure, ratio) in Compare(Run(trace, ours), theirs))
                {
                    ratios[reference].Add((figure, ratio));
                    if (figure != "wait" && Math.Abs(ratio - 1) > CloseOnOneTrace)
                        apart.Add($"{reference} on {traceName}: {figure} x {ratio:0.000}");
                }
            }
            if (Bounded.Contains(traceName, StringComparer.Ordinal))
                CompareBounds(trace, figures.GetProperty(traceName));
        }
        foreach (var (reference, all) in ratios)
        {
            foreach (var figure in all.GroupBy(r => r.Figure, StringComparer.Ordinal))
            {
                var mean = Math.Exp(figure.Average(r => Math.Log(r.Ratio)));
                if (Math.Abs(mean - 1) > Close)
                    apart.Add($"{reference}: {figure.Key} x {mean:0.000} on average");
            }
        }
        apart.ShouldBeEmpty();
    }

    private static RunFigures Run(ArrivalTrace trace, string policy)
    {
        var settings = Comparison.For(Machine, new());
        return RunFigures.Mean([.. Enumerable.Range(0, 12).Select(seed =>
        {
            var entry = Contenders.Named(policy).Enter(settings, Draws.For(policy, seed));
            return new Simulator(Machine, trace, entry.Rules, seed).Run(entry.Policy);
        })]);
    }

    private static IEnumerable<(string Figure, double Ratio)> Compare(RunFigures ours, JsonElement theirs)
    {
        double Theirs(string name) => theirs.GetProperty(name).GetDouble();
        yield return ("J", ours.Cost() / (Theirs("cost") + Theirs("wait")));
        yield return ("bill", ours.WorkerSeconds / Theirs("cost"));
        yield return ("wait", ours.TotalWait / Theirs("wait"));
        yield return ("p95", ours.Answer.P95 / Theirs("p95"));
        ours.Unfinished.ShouldBe(Theirs("unfinished"));
    }

    private static void CompareBounds(ArrivalTrace trace, JsonElement theirs)
    {
        var plans = ClairvoyantPlan.Try(Machine, trace, sloSeconds: 60);
        var bound = LowerBound.Of(Machine, trace, plans);
        foreach (var one in theirs.GetProperty("bounds").EnumerateObject())
        {
            var price = double.Parse(one.Name, System.Globalization.CultureInfo.InvariantCulture);
            (bound.At(price) / one.Value.GetDouble()).ShouldBe(1, tolerance: 0.01, $"{trace.Name} at {price}");
        }
        var best = ClairvoyantPlan.Best(plans, 1).Figures;
        best.WorkerSeconds.ShouldBe(theirs.GetProperty("clairvoyant").GetProperty("cost").GetDouble(), tolerance: 0.01);
        best.TotalWait.ShouldBe(theirs.GetProperty("clairvoyant").GetProperty("wait").GetDouble(), tolerance: 0.01);
        best.Answer.P95.ShouldBe(theirs.GetProperty("clairvoyant").GetProperty("p95").GetDouble(), tolerance: 0.01);
    }
}
