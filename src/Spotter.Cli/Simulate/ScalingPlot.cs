using System.Globalization;
using System.Text;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Simulate;

/// <summary>What <c>simulate --plot</c> draws: the arrivals, then backlog and workers of each policy on the same scales.</summary>
internal static class ScalingPlot
{
    private const int Bins = 220;

    /// <summary>The drawing as an SVG, or as a page with the table.</summary>
    public static string Draw(SimulationReport report, ArrivalTrace trace, IReadOnlyList<(ComparedPolicy Policy, Timeline Course)> runs, bool asPage)
    {
        var end = runs.Select(run => run.Course.Moments.Count == 0 ? 0 : run.Course.Moments[^1].Seconds).Append(trace.Horizon).Append(1).Max();
        var chart = new Chart(end);
        var arrivals = PerBin(trace, end);
        chart.Title(string.Create(CultureInfo.InvariantCulture, $"{report.Trace}: {report.Jobs} jobs"), string.Create(CultureInfo.InvariantCulture, $"arrivals per {end / Bins:0.#} s"));
        chart.Strip(50, arrivals.Max(a => a.Value), "jobs", ("arrivals", arrivals));

        // The same scales everywhere, so that policies can be compared by eye.
        var backlog = runs.SelectMany(run => run.Course.Moments).Select(m => m.Queued).DefaultIfEmpty(0).Max();
        foreach (var (policy, course) in runs)
        {
            chart.Title(policy.Policy, Aside(policy));
            chart.Strip(36, backlog, "waiting", ("backlog", course.Moments.Select(m => (m.Seconds, (double)m.Queued))));
            chart.Strip(
                54, report.Machine.MaxWorkers, "workers",
                ("present", course.Moments.Select(m => (m.Seconds, (double)m.Present))),
                ("ready", course.Moments.Select(m => (m.Seconds, (double)m.Ready))),
                ("wanted", course.Moments.Select(m => (m.Seconds, (double)m.Wanted))));
        }
        chart.TimeAxis();
        chart.Legend(("backlog", "jobs waiting"), ("present", "workers paid for"), ("ready", "workers ready"), ("wanted", "workers wanted"));
        return asPage ? Page(report, chart.ToString()) : chart.ToString();
    }

    private static string Aside(ComparedPolicy policy)
    {
        var figures = policy.Figures;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{figures.WorkerSeconds / 3600:0.00} worker-h, answer p95 {figures.Answer.P95:0.0} s{(policy.CostRatio is { } ratio ? string.Create(CultureInfo.InvariantCulture, $", J/LB {ratio:0.00}") : "")}");
    }

    private static List<(double Seconds, double Value)> PerBin(ArrivalTrace trace, double end)
    {
        var bins = new double[Bins];
        foreach (var arrival in trace.Arrivals)
            bins[Math.Min(Bins - 1, (int)(arrival / end * Bins))]++;
        return [.. bins.Select((count, i) => (i * end / Bins, count))];
    }

    private static string Page(SimulationReport report, string drawing)
    {
        var withCost = report.Policies.Any(p => p.Cost is not null);
        var rows = new StringBuilder();
        foreach (var policy in report.Policies)
            rows.Append("<tr>").AppendJoin("", SimulationReport.Cells(policy, withCost).Select(cell => $"<td>{Chart.Escape(cell)}</td>")).Append("</tr>\n");
        return $$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <title>{{Chart.Escape(report.Trace)}}: scaling simulated</title>
            <style>
            body { font: 14px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
            table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd }
            td:first-child, th:first-child { text-align: left } svg { max-width: 100%; height: auto }
            </style>
            <h1>{{Chart.Escape(report.Trace)}} on {{Chart.Escape(report.Machine.Name)}}</h1>
            <table>
            <tr>{{string.Concat(SimulationReport.Headings(withCost).Select(heading => $"<th>{Chart.Escape(heading)}</th>"))}}</tr>
            {{rows}}</table>
            <p>J/LB: worker-seconds and seconds of waiting together, over the least that any schedule could come to. C/LB: worker-seconds over
            the least of any schedule whose jobs wait no longer.</p>
            {{drawing}}</html>

            """;
    }
}
