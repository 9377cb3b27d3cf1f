using System.Globalization;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Simulate;

/// <summary>What a policy made of the trace. Times are in seconds; numbers are means over the repetitions.</summary>
/// <param name="Policy">Its name.</param>
/// <param name="MeanWorkers">Workers on average.</param>
/// <param name="MostWorkers">Most workers at a time.</param>
/// <param name="Launches">Workers launched.</param>
/// <param name="Wait">From a job's arrival to its start.</param>
/// <param name="Answer">From a job's arrival to its answer.</param>
/// <param name="SloMisses">Answers that came too late, or never.</param>
/// <param name="WorkerSeconds">What is paid for.</param>
/// <param name="Cost">The same as money; null without a price.</param>
/// <param name="CostRatio">Workers and waiting together over the least that any schedule could come to; null when jobs were left.</param>
/// <param name="BillRatio">The bill over the least bill of any schedule that lets jobs wait no longer; null when jobs were left.</param>
/// <param name="Interrupted">Jobs cut off because their worker was removed.</param>
/// <param name="Crashed">Workers that died of a job.</param>
/// <param name="DeadLettered">Jobs given up because they kill workers.</param>
/// <param name="Unfinished">Jobs left without an answer.</param>
/// <param name="Makespan">Until the last answer.</param>
internal sealed record SimulatedPolicy(
    string Policy, double MeanWorkers, double MostWorkers, double Launches, Quantiles Wait, Quantiles Answer, double SloMisses,
    double WorkerSeconds, double? Cost, double? CostRatio, double? BillRatio, double Interrupted, double Crashed, double DeadLettered,
    double Unfinished, double Makespan);

/// <summary>What <c>simulate</c> found out, as <c>--json</c> prints it.</summary>
/// <param name="Trace">The file or kind of load.</param>
/// <param name="Jobs">Jobs in it.</param>
/// <param name="Seconds">How long it is.</param>
/// <param name="Machine">The kind of worker.</param>
/// <param name="SloSeconds">After which an answer came too late.</param>
/// <param name="LowerBound">What no schedule can fall below: worker-seconds and seconds of waiting together.</param>
/// <param name="Policies">The best schedule with full knowledge, then the policies.</param>
internal sealed record SimulationReport(
    string Trace, int Jobs, double Seconds, MachineKind Machine, double SloSeconds, double LowerBound, IReadOnlyList<SimulatedPolicy> Policies)
{
    /// <summary>Puts the report together.</summary>
    public static SimulationReport Create(
        ArrivalTrace trace, MachineKind machine, ScaleSettings settings, double lowerBound, IEnumerable<ComparedPolicy> compared) =>
        new(trace.Name, trace.Arrivals.Count, trace.Horizon, machine, settings.Slo.TotalSeconds, lowerBound, [.. compared.Select(c => View(c, settings.PricePerHour))]);

    /// <summary>The report for people: a row per policy.</summary>
    public string Render()
    {
        var withCost = Policies.Any(p => p.Cost is not null);
        var table = new TextTable([.. Headings(withCost)]);
        foreach (var policy in Policies)
            table.Add([.. Cells(policy, withCost)]);
        return string.Create(CultureInfo.InvariantCulture, $"""
            {Trace} on {Machine.Name}: {Jobs} jobs in {Seconds / 3600:0.##} h, at most {Machine.MaxWorkers} workers, boot {Machine.BootSeconds:0.##} s, job {Machine.ServiceSeconds:0.##} s

            {table}
            wait and answer in seconds; late: over {SloSeconds:0} s; lost: jobs cut off by removing their worker
            J/LB: worker-seconds and seconds of waiting together, over the least that any schedule could come to ({LowerBound:0})
            C/LB: worker-seconds over the least of any schedule whose jobs wait no longer

            """);
    }

    /// <summary>The columns for people.</summary>
    public static IEnumerable<string> Headings(bool withCost)
    {
        string[] before = ["policy", "workers", "most", "boots", "wait p50", "p95", "p99", "answer p95", "late", "lost", "worker-h"];
        return before.Concat(withCost ? ["cost"] : []).Concat(["J/LB", "C/LB"]);
    }

    /// <summary>A policy's row under these.</summary>
    public static IEnumerable<string> Cells(SimulatedPolicy policy, bool withCost)
    {
        string[] before =
        [
            policy.Policy, Text(policy.MeanWorkers, "0.0"), Text(policy.MostWorkers, "0"), Text(policy.Launches, "0"),
            Text(policy.Wait.P50, "0.0"), Text(policy.Wait.P95, "0.0"), Text(policy.Wait.P99, "0.0"), Text(policy.Answer.P95, "0.0"),
            Text(policy.SloMisses, "0"), Text(policy.Interrupted + policy.Unfinished, "0.#"), Text(policy.WorkerSeconds / 3600, "0.00"),
        ];
        return before.Concat(withCost ? [Text(policy.Cost, "0.00")] : []).Concat([Text(policy.CostRatio, "0.00"), Text(policy.BillRatio, "0.00")]);
    }

    private static SimulatedPolicy View(ComparedPolicy compared, double pricePerHour)
    {
        var figures = compared.Figures;
        return new(
            compared.Policy, figures.MeanWorkers, figures.MostWorkers, figures.Launches, figures.Wait, figures.Answer, figures.SloMisses,
            figures.WorkerSeconds, pricePerHour > 0 ? figures.WorkerSeconds / 3600 * pricePerHour : null, compared.CostRatio, compared.BillRatio,
            figures.Interrupted, figures.Crashed, figures.DeadLettered, figures.Unfinished, figures.Makespan);
    }

    private static string Text(double? number, string format) => number?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
