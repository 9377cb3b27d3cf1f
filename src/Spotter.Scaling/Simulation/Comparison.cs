namespace Spotter.Scaling.Simulation;

/// <summary>How a policy did on a trace.</summary>
/// <param name="Policy">Its name.</param>
/// <param name="Figures">What its runs came to, on average.</param>
/// <param name="CostRatio">Workers and waiting together over the least that is possible; null when jobs were left without an answer.</param>
/// <param name="BillRatio">Its bill over the least bill of any schedule that lets jobs wait no longer; null as above.</param>
public sealed record ComparedPolicy(string Policy, RunFigures Figures, double? CostRatio, double? BillRatio);

/// <summary>Runs several policies on one trace and measures them by what is possible at all.</summary>
public sealed class Comparison
{
    /// <summary>What the schedule with full knowledge is called.</summary>
    public const string Clairvoyant = "clairvoyant";

    private readonly MachineKind machine;
    private readonly ArrivalTrace trace;
    private readonly ScaleSettings settings;
    private readonly IReadOnlyList<ClairvoyantPlan> plans;

    /// <summary>Prepares a comparison.</summary>
    /// <param name="machine">The workers.</param>
    /// <param name="trace">The jobs; at least one.</param>
    /// <param name="settings">Of the policies; what the machine decides (limits, lanes, priors, bill) is taken from the machine.</param>
    /// <param name="cancel">Stops it.</param>
    public Comparison(MachineKind machine, ArrivalTrace trace, ScaleSettings settings, CancellationToken cancel = default)
    {
        this.machine = machine;
        this.trace = trace;
        this.settings = settings;
        plans = ClairvoyantPlan.Try(machine, trace, settings.Slo.TotalSeconds);
        Bound = LowerBound.Of(machine, trace, plans, cancel);
    }

    /// <summary>What is possible at all.</summary>
    public LowerBound Bound { get; }

    /// <summary>Settings of a policy for machines of a kind, with what is known of them beforehand.</summary>
    public static ScaleSettings For(MachineKind machine, ScaleSettings settings) => settings with
    {
        Max = machine.MaxWorkers,
        Min = Math.Min(settings.Min, machine.MaxWorkers),
        Lanes = machine.Lanes,
        BootPrior = TimeSpan.FromSeconds(machine.BootSeconds),
        ServicePrior = TimeSpan.FromSeconds(machine.ServiceSeconds),
        MinBill = TimeSpan.FromSeconds(machine.MinBillSeconds),
    };

    /// <summary>The best schedule with full knowledge that was found.</summary>
    public ComparedPolicy RunClairvoyant() => Measure(Clairvoyant, ClairvoyantPlan.Best(plans, 1).Figures);

    /// <summary>Runs a policy, and again with other seeds for its rhythm, for boots and for faults.</summary>
    /// <param name="contender">The policy.</param>
    /// <param name="repetitions">How often.</param>
    /// <param name="seed">The first seed.</param>
    /// <param name="watch">Told of each observation and decision of the first run.</param>
    /// <param name="cancel">Stops it.</param>
    public ComparedPolicy Run(
        Contender contender, int repetitions = 1, int seed = 0, Action<ScaleObservation, ScaleDecision>? watch = null, CancellationToken cancel = default)
    {
        var runs = new List<RunFigures>(repetitions);
        for (var i = 0; i < repetitions; i++)
        {
            var entry = contender.Enter(settings, Draws.For($"enter/{trace.Name}/{contender.Name}", seed + i));
            var simulator = new Simulator(machine, trace, entry.Rules, seed + i) { SloSeconds = settings.Slo.TotalSeconds };
            runs.Add(simulator.Run(entry.Policy, i == 0 ? watch : null, cancel));
        }
        return Measure(contender.Name, RunFigures.Mean(runs));
    }

    private ComparedPolicy Measure(string name, RunFigures figures) => figures.Unfinished > 0
        ? new(name, figures, null, null)
        : new(name, figures, figures.Cost() / Bound.AtPar, figures.WorkerSeconds / Bound.LeastBill(figures.TotalWait));
}
