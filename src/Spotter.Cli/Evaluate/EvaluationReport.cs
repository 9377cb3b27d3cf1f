using System.Globalization;

namespace Spotter.Cli.Evaluate;

/// <summary>A row of the report.</summary>
/// <param name="Label">The class.</param>
/// <param name="Score">Its figures.</param>
internal sealed record EvaluatedClass(string Label, ClassScore Score);

/// <summary>What <c>models evaluate</c> found out, as <c>--json</c> prints it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Pictures">Pictures that were looked at.</param>
/// <param name="Failed">Pictures that could not be looked at and are left out of the figures.</param>
/// <param name="Objects">Objects in the pictures.</param>
/// <param name="Map50">Mean average precision at half an overlap.</param>
/// <param name="Map">Mean average precision over the overlaps 0.50 to 0.95.</param>
/// <param name="Confidence">Where precision and recall are given.</param>
/// <param name="Precision">Over all classes.</param>
/// <param name="Recall">Over all classes.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="PicturesPerSecond">Over all lanes.</param>
/// <param name="Lanes">Pictures at once.</param>
/// <param name="ModelShare">The model's share of the time that the lanes spent on pictures, 0 to 1.</param>
/// <param name="Classes">Per class.</param>
internal sealed record EvaluationReport(
    string Model, int Pictures, int Failed, int Objects, double? Map50, double? Map, double Confidence, double? Precision, double? Recall,
    double Seconds, double PicturesPerSecond, int Lanes, double ModelShare, IReadOnlyList<EvaluatedClass> Classes)
{
    /// <summary>The report for people: a row per class that has objects or guesses, and the sum.</summary>
    public string Render()
    {
        var table = new TextTable("class", "objects", "AP50", "AP50-95", "precision", "recall", "best at");
        foreach (var (label, score) in Classes.Where(c => c.Score.Objects > 0 || c.Score.Precision is not null))
            table.Add(label, Text(score.Objects), Text(score.Ap50), Text(score.Ap), Text(score.Precision), Text(score.Recall), Text(score.BestConfidence));
        table.Add("all", Text(Objects), Text(Map50), Text(Map), Text(Precision), Text(Recall), "");
        var failed = Failed == 0 ? "" : $", {Failed} failed and left out";
        return string.Create(CultureInfo.InvariantCulture, $"""
            {table}
            mAP50 {Text(Map50)}, mAP50-95 {Text(Map)}; precision and recall at confidence {Confidence:0.###}
            {Pictures} {(Pictures == 1 ? "picture" : "pictures")}{failed}; {Seconds:0.0} s, {PicturesPerSecond:0.0} pictures/s, of that {ModelShare:0 %} in the model ({Model}, {Lanes} at once)

            """);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(double? share) => share?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-";
}
