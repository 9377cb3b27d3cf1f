using System.Globalization;
using System.Text;

namespace Spotter.Cli.Load;

/// <summary>The figures of a run for people's eyes.</summary>
internal static class LoadReport
{
    public static string Render(LoadFigures figures, bool check)
    {
        var text = new StringBuilder();
        if (!check && figures.Accepted > 0)
        {
            var latencies = new TextTable("ms from when it was due", "p50", "p90", "p95", "p99", "max");
            Add(latencies, "to acceptance", figures.AcceptMs);
            Add(latencies, "to the answer", figures.AnswerMs);
            text.Append(latencies).Append('\n');
        }
        var facts = new TextTable("what", "number", "");
        facts.Add("requests", Number(figures.Jobs), figures.Interrupted ? "ended early" : "");
        facts.Add("accepted", Number(figures.Accepted), check ? "" : Invariant($"{figures.AcceptedPerSecond:0.0}/s over {figures.AcceptSeconds:0.0} s"));
        facts.Add("answered", Number(figures.Ended), check ? "" : Invariant($"{figures.AnswersPerSecond:0.0}/s over {figures.AnswerSeconds:0.0} s"));
        foreach (var (state, count) in figures.States)
            facts.Add($"  {state}", Number(count), state == "succeeded" ? "" : Codes(figures.Failures));
        if (figures.Refused.Count > 0)
            facts.Add("refused, sent again", Number(figures.Refused.Values.Sum()), Codes(figures.Refused));
        if (figures.Broken > 0)
            facts.Add("connections broken, sent again", Number(figures.Broken), "");
        if (figures.Repeated > 0)
            facts.Add("sent twice on purpose", Number(figures.Repeated), "");
        if (figures.Unacknowledged > 0)
            facts.Add("became jobs, answer never read", Number(figures.Unacknowledged), "");
        if (figures.Rejected.Count > 0)
            facts.Add("turned away", Number(figures.Rejected.Values.Sum()), Codes(figures.Rejected));
        if (!check && figures.NotAccepted > 0)
            facts.Add("not accepted", Number(figures.NotAccepted), "");
        if (figures.Interrupted)
            facts.Add("still open", Number(figures.Open), "");
        facts.Add("lost", Number(figures.Lost), figures.Missing > 0 ? Invariant($"{figures.Missing} unknown to the service") : figures.Lost > 0 ? "no end in time" : "");
        facts.Add("doubled", Number(figures.Doubled), "");
        return text.Append(facts).ToString();
    }

    private static void Add(TextTable table, string what, Percentiles? of)
    {
        if (of is null)
            table.Add(what, "", "", "", "", "");
        else
            table.Add(what, Milliseconds(of.P50), Milliseconds(of.P90), Milliseconds(of.P95), Milliseconds(of.P99), Milliseconds(of.Max));
    }

    private static string Milliseconds(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Codes(SortedDictionary<string, int> codes) => string.Join(", ", codes.Select(pair => Invariant($"{pair.Key} {pair.Value}")));

    private static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
