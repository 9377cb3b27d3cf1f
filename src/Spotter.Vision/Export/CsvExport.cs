using System.Globalization;
using System.Text;

namespace Spotter.Vision.Export;

/// <summary>A table as RFC 4180 has it: a line for each object, label of the whole picture, or line of text.</summary>
internal static class CsvExport
{
    private const string Header = "picture,label,confidence,x1,y1,x2,y2,text\r\n";

    /// <summary>Writes the table, with its header. Coordinates are in pixels; what has no box has none.</summary>
    public static string Write(IEnumerable<ExportedPicture> pictures)
    {
        var table = new StringBuilder(Header);
        foreach (var picture in pictures)
        {
            foreach (var found in picture.Objects)
                Add(table, picture.Name, found.Label, found.Confidence, found.Box, found.Text);
            foreach (var label in picture.Result.Labels ?? [])
                Add(table, picture.Name, label.Name, label.Confidence, box: null, text: null);
            if (picture.Result.Reading is { Text.Length: > 0 } reading)
                Add(table, picture.Name, "", reading.Confidence, box: null, reading.Text);
        }
        return table.ToString();
    }

    private static void Add(StringBuilder table, string picture, string label, double confidence, Box? box, string? text)
    {
        string[] fields =
        [
            Plain(picture), Plain(label), Number(confidence), Number(box?.X1), Number(box?.Y1), Number(box?.X2), Number(box?.Y2), Plain(text ?? ""),
        ];
        table.AppendJoin(',', fields).Append("\r\n");
    }

    private static string Number(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>
    /// Names and texts are strangers': spreadsheets run what begins like a formula, so that gets an apostrophe before it
    /// (OWASP, "CSV Injection").
    /// </summary>
    private static string Plain(string field) => OutputLine.Quoted(field is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? "'" + field : field);
}
