using System.Globalization;

namespace Spotter.Cli.Evaluate;

/// <summary>One of two models that are compared.</summary>
/// <param name="Model">Its name; what the command line calls it where both have the same.</param>
/// <param name="InferMs">Median of the time in the model for a picture, in milliseconds; null when it saw none.</param>
/// <param name="OnlyItsLabels">Labels that the other model does not know.</param>
internal sealed record ComparedModel(string Model, double? InferMs, IReadOnlyList<string> OnlyItsLabels);

/// <summary>What <c>models compare</c> found out, as <c>--json</c> prints it.</summary>
/// <param name="First">The first model.</param>
/// <param name="Second">The second model.</param>
/// <param name="Pictures">Pictures that both have looked at.</param>
/// <param name="Failed">Pictures that could not be looked at and are left out.</param>
/// <param name="All">How far they agree.</param>
/// <param name="Labels">How far they agree about each label.</param>
/// <param name="Different">The pictures about which they differ, the most different first.</param>
internal sealed record ComparisonReport(
    ComparedModel First, ComparedModel Second, int Pictures, int Failed, Agreement All, IReadOnlyList<Agreement> Labels, IReadOnlyList<DifferentPicture> Different)
{
    private const int MostShown = 10;
    private const int MostLabels = 5;

    /// <summary>The report for people.</summary>
    public string Render()
    {
        var table = new TextTable("label", "both", $"only {First.Model}", $"only {Second.Model}", "agree", "overlap");
        foreach (var row in Labels)
            Add(table, PlainText.OneLine(row.Label!), row);
        Add(table, "all", All);
        var failed = Failed == 0 ? "" : $", {Failed} failed and left out";
        var text = string.Create(CultureInfo.InvariantCulture, $"{table}\n{Pictures} {(Pictures == 1 ? "picture" : "pictures")}{failed}; in the model for one: {Time(First)}, {Time(Second)}\n");
        foreach (var (model, other) in ((ComparedModel, ComparedModel)[])[(First, Second), (Second, First)])
        {
            if (model.OnlyItsLabels.Count > 0)
                text += $"{other.Model} does not know {PlainText.OneLine(string.Join(", ", model.OnlyItsLabels.Take(MostLabels)))}{(model.OnlyItsLabels.Count > MostLabels ? $" and {model.OnlyItsLabels.Count - MostLabels} more" : "")}\n";
        }
        if (Different.Count == 0)
            return text;
        var pictures = new TextTable("most different", $"only {First.Model}", $"only {Second.Model}");
        foreach (var picture in Different.Take(MostShown))
            pictures.Add(PlainText.OneLine(picture.File), Text(picture.OnlyFirst), Text(picture.OnlySecond));
        return $"{text}\n{pictures}";
    }

    private static void Add(TextTable table, string label, Agreement row) =>
        table.Add(label, Text(row.Both), Text(row.OnlyFirst), Text(row.OnlySecond), row.Share?.ToString("0 %", CultureInfo.InvariantCulture) ?? "-", row.Overlap?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-");

    private static string Time(ComparedModel model) => string.Create(CultureInfo.InvariantCulture, $"{model.Model} {model.InferMs:0.0} ms");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
