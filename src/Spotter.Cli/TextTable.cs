using System.Text;

namespace Spotter.Cli;

/// <summary>Columns of text, as wide as their content: the same on a terminal, in a pipe and in a file.</summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> rows = [headings];

    /// <summary>Adds a row of as many cells as there are headings.</summary>
    public void Add(params string[] cells) => rows.Add([.. cells.Select(PlainText.OneLine)]);

    /// <inheritdoc/>
    public override string ToString()
    {
        var widths = headings.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var line = string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])));
            text.Append(line.TrimEnd()).Append('\n');
        }
        return text.ToString();
    }
}
