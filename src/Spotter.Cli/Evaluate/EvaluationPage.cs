using System.Globalization;
using System.Net;
using System.Text;

namespace Spotter.Cli.Evaluate;

/// <summary>An evaluation as one HTML file that needs nothing else: figures, curves, what is taken for what.</summary>
internal static class EvaluationPage
{
    // More curves are no longer told apart, and a wider table fits no screen.
    private const int MostCurves = 24;
    private const int MostConfused = 40;
    private const int Edge = 180;

    private const string Style = """
        :root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #8884}th:first-child,td:first-child{text-align:left}
        .wide{overflow-x:auto}.curves{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-size:13px}
        svg{border:1px solid #8884}polyline{fill:none;stroke:#2a78d6;stroke-width:2}circle{fill:#d6532a}
        """;

    /// <summary>The page.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="evaluation">The curves.</param>
    /// <param name="confusion">What is taken for what.</param>
    public static string Render(EvaluationReport report, Evaluation evaluation, Confusion confusion)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Safe(report.Model)}: evaluation</title>\n<style>{Style}</style>\n");
        page.Append(CultureInfo.InvariantCulture, $"<h1>{Safe(report.Model)}</h1>\n<p>mAP50 {Text(report.Map50)}, mAP50-95 {Text(report.Map)}. {report.Pictures} pictures, {report.Objects} objects; precision and recall at confidence {report.Confidence:0.###}.</p>\n");
        Figures(page, report);
        Curves(page, report, evaluation);
        Confused(page, report, confusion.Count(report.Confidence));
        return page.Append("</html>\n").ToString();
    }

    private static void Figures(StringBuilder page, EvaluationReport report)
    {
        page.Append("<h2>Classes</h2>\n<p>The best confidence is where precision and recall of a class are best together.</p>\n<div class=\"wide\"><table><tr><th>class<th>objects<th>AP50<th>AP50-95<th>precision<th>recall<th>best confidence\n");
        foreach (var (label, score) in report.Classes.Where(c => c.Score.Objects > 0 || c.Score.Precision is not null))
        {
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{Safe(label)}<td>{score.Objects}<td>{Text(score.Ap50)}<td>{Text(score.Ap)}<td>{Text(score.Precision)}<td>{Text(score.Recall)}<td>{Text(score.BestConfidence)}\n");
        }
        page.Append("</table></div>\n");
    }

    private static void Curves(StringBuilder page, EvaluationReport report, Evaluation evaluation)
    {
        page.Append("<h2>Precision over recall</h2>\n<p>At half an overlap; recall to the right, precision upwards, both from 0 to 1. The dot is the best confidence.</p>\n<div class=\"curves\">\n");
        var shown = Enumerable.Range(0, report.Classes.Count).Where(i => report.Classes[i].Score.Objects > 0).OrderByDescending(i => report.Classes[i].Score.Objects).ToList();
        foreach (var id in shown.Take(MostCurves))
        {
            var curve = evaluation.CurveOf(id);
            var points = string.Join(' ', curve.Select(p => Place(p.Recall, p.Precision)));
            page.Append(CultureInfo.InvariantCulture, $"<figure><svg width=\"{Edge}\" height=\"{Edge}\" role=\"img\" aria-label=\"{Safe(report.Classes[id].Label)}\"><polyline points=\"{points}\"/>");
            foreach (var best in curve.Where(p => Math.Round(p.Confidence, 4) == report.Classes[id].Score.BestConfidence).Take(1))
                page.Append(CultureInfo.InvariantCulture, $"<circle r=\"4\" cx=\"{best.Recall * Edge:0.#}\" cy=\"{(1 - best.Precision) * Edge:0.#}\"/>");
            page.Append(CultureInfo.InvariantCulture, $"</svg><figcaption>{Safe(report.Classes[id].Label)}, AP50 {Text(report.Classes[id].Score.Ap50)}</figcaption></figure>\n");
        }
        page.Append("</div>\n");
        if (shown.Count > MostCurves)
            page.Append(CultureInfo.InvariantCulture, $"<p>The {MostCurves} of {shown.Count} classes with the most objects.</p>\n");
    }

    private static void Confused(StringBuilder page, EvaluationReport report, int[,] counts)
    {
        var nothing = report.Classes.Count;
        int Sum(int id) => Enumerable.Range(0, nothing + 1).Sum(other => counts[id, other] + counts[other, id]);
        var shown = Enumerable.Range(0, nothing).Where(id => Sum(id) > 0).OrderByDescending(Sum).Take(MostConfused).Order().Append(nothing).ToList();
        string Name(int id, string none) => id == nothing ? none : Safe(report.Classes[id].Label);
        page.Append("<h2>What is taken for what</h2>\n<p>A row is what is there, a column what it is taken for.</p>\n<div class=\"wide\"><table><tr><th>");
        page.AppendJoin("", shown.Select(id => $"<th>{Name(id, "missed")}")).Append('\n');
        foreach (var id in shown)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Name(id, "nothing")}");
            page.AppendJoin("", shown.Select(other => counts[id, other] == 0 ? "<td>" : string.Create(CultureInfo.InvariantCulture, $"<td>{counts[id, other]}"))).Append('\n');
        }
        page.Append("</table></div>\n");
    }

    private static string Place(double recall, double precision) => string.Create(CultureInfo.InvariantCulture, $"{recall * Edge:0.#},{(1 - precision) * Edge:0.#}");

    private static string Safe(string text) => WebUtility.HtmlEncode(text);

    private static string Text(double? share) => share?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-";
}
