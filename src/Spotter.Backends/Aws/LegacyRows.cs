using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>How rows of an earlier service stand in its table.</summary>
internal static class LegacyRows
{
    /// <summary>The attribute that is the key.</summary>
    public const string Key = "predictionId";

    /// <summary>The id that no row has.</summary>
    public const string None = "none";

    private const string Labels = "labels";

    /// <summary>The key that no row has.</summary>
    public static Dictionary<string, AttributeValue> NoKey => KeyOf(None);

    /// <summary>A row as the table has it.</summary>
    public static Dictionary<string, AttributeValue> ItemOf(LegacyRow row)
    {
        var item = new Dictionary<string, AttributeValue>(StringComparer.Ordinal)
        {
            [Key] = new() { S = row.PredictionId },
            ["chatId"] = Number(row.ChatId),
            ["originalImgPath"] = new() { S = row.OriginalImgPath },
            ["predictedImgPath"] = new() { S = row.PredictedImgPath },
            [Labels] = new()
            {
                IsLSet = true,
                L = [.. row.Labels.Select(l => new AttributeValue
                {
                    M = new(StringComparer.Ordinal) { ["class"] = new() { S = l.Class }, ["cx"] = Number(l.Cx), ["cy"] = Number(l.Cy), ["width"] = Number(l.Width), ["height"] = Number(l.Height) },
                })],
            },
            ["time"] = Number(row.Time),
        };
        if (row.Error is { } error)
            item["error"] = new() { S = error };
        return item;
    }

    /// <summary>The labels of a row, whoever wrote it: numbers are texts in some.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>.</exception>
    public static IReadOnlyList<LegacyLabel> LabelsOf(Dictionary<string, AttributeValue> item)
    {
        try
        {
            return [.. item[Labels].L.Select(label => label.M).Select(l => new LegacyLabel(l["class"].S, Read(l["cx"]), Read(l["cy"]), Read(l["width"]), Read(l["height"])))];
        }
        catch (Exception odd) when (odd is KeyNotFoundException or NullReferenceException or ArgumentNullException or FormatException)
        {
            throw new SpotterException(ErrorCodes.ModelOutputInvalid, "The worker of the earlier service wrote a row without labels that can be read.", odd);
        }

        static double Read(AttributeValue number) => double.Parse(number.N ?? number.S, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    /// <summary>The key of a row.</summary>
    public static Dictionary<string, AttributeValue> KeyOf(string predictionId) => new(StringComparer.Ordinal) { [Key] = new() { S = predictionId } };

    private static AttributeValue Number(IFormattable number) => new() { N = number.ToString(null, CultureInfo.InvariantCulture) };
}
