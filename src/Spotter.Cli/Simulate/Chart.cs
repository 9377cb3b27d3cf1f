using System.Globalization;
using System.Net;
using System.Text;

namespace Spotter.Cli.Simulate;

/// <summary>A drawing of strips under each other, which share their time axis.</summary>
internal sealed class Chart(double endSeconds)
{
    private const int Left = 56;
    private const int Gap = 10;
    private const int MostTicks = 10;

    // Nobody sees more points than there are pixels.
    private const int Columns = 880;
    private const int Width = Left + Columns + 16;

    private static readonly double[] TickSeconds = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

    private readonly StringBuilder body = new();
    private double top = 8;

    /// <summary>A line of text above the next strip.</summary>
    public void Title(string text, string aside)
    {
        top += 18;
        body.Append(Text($"<text class='title' x='{Left}' y='{top}'>{Escape(text)}</text><text class='aside' x='{Left + Columns}' y='{top}' text-anchor='end'>{Escape(aside)}</text>\n"));
        top += 6;
    }

    /// <summary>A strip with an axis from 0 to <paramref name="most"/>.</summary>
    /// <param name="height">In pixels.</param>
    /// <param name="most">The value at its upper edge.</param>
    /// <param name="label">What its numbers are.</param>
    /// <param name="lines">What is drawn in it: a style and values, the highest of each pixel being shown.</param>
    public void Strip(int height, double most, string label, params (string Style, IEnumerable<(double Seconds, double Value)> Values)[] lines)
    {
        most = Math.Max(1, most);
        var bottom = top + height;
        body.Append(Text($"<rect class='strip' x='{Left}' y='{top}' width='{Columns}' height='{height}'/>"));
        body.Append(Text($"<text class='axis' x='{Left - 6}' y='{top + 10}' text-anchor='end'>{most:0.##}</text>"));
        body.Append(Text($"<text class='axis' x='{Left - 6}' y='{bottom}' text-anchor='end'>{Escape(label)}</text>\n"));
        foreach (var (style, values) in lines)
            body.Append(Text($"<path class='{style}' d='{Path(Highest(values), bottom, height / most)}'/>\n"));
        top = bottom + Gap;
    }

    /// <summary>The time axis under the last strip.</summary>
    public void TimeAxis()
    {
        var step = TickSeconds.FirstOrDefault(s => endSeconds / s <= MostTicks, Math.Ceiling(endSeconds / MostTicks / 86_400) * 86_400);
        for (var t = 0.0; t <= endSeconds; t += step)
        {
            var x = Left + (t / endSeconds * Columns);
            body.Append(Text($"<line class='tick' x1='{x:0.#}' x2='{x:0.#}' y1='8' y2='{top - Gap}'/><text class='axis' x='{x:0.#}' y='{top + 6}' text-anchor='middle'>{Clock(t)}</text>\n"));
        }
        top += 16;
    }

    /// <summary>What the styles mean, in a line under everything.</summary>
    public void Legend(params (string Style, string Meaning)[] entries)
    {
        const int wide = 125;
        for (var i = 0; i < entries.Length; i++)
        {
            var x = Left + (i * wide);
            body.Append(Text($"<path class='{entries[i].Style}' d='M{x} {top + 8}V{top}H{x + 16}V{top + 8}'/><text class='axis' x='{x + 22}' y='{top + 8}'>{Escape(entries[i].Meaning)}</text>\n"));
        }
        top += 16;
    }

    /// <summary>The drawing, on its own.</summary>
    public override string ToString() => Text($$"""
        <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {{Width}} {{top:0}}' width='{{Width}}' height='{{top:0}}' font-family='system-ui, sans-serif'>
        <style>
        svg { background: #fff } text { fill: #333 } .title { font-size: 13px; font-weight: 600 } .aside { font-size: 12px } .axis { font-size: 10px; fill: #777 }
        .strip { fill: #f6f7f8 } .tick { stroke: #0001 } path { fill: none; stroke-width: 1.2 }
        .arrivals { fill: #9bb3c9 } .backlog { fill: #e0a458 } .present { fill: #dfe3e8 } .ready { stroke: #2c7a4b } .wanted { stroke: #b3261e; stroke-dasharray: 3 2 }
        </style>
        {{body}}</svg>

        """);

    /// <summary>Text that is safe inside markup.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Clock(double seconds) => Text($"{(int)(seconds / 3600)}:{(int)(seconds / 60) % 60:00}{(seconds % 60 > 0 ? Text($":{seconds % 60:00}") : "")}");

    private double[] Highest(IEnumerable<(double Seconds, double Value)> values)
    {
        var highest = new double[Columns + 1];
        var (column, latest) = (0, 0.0);
        foreach (var (seconds, value) in values)
        {
            var at = Math.Clamp((int)(seconds / endSeconds * Columns), 0, Columns);
            for (; column < at; column++)
                highest[column + 1] = latest; // as it was, until something is noted
            highest[at] = Math.Max(highest[at], value);
            latest = value;
        }
        return highest;
    }

    private static string Path(double[] values, double bottom, double scale)
    {
        var path = new StringBuilder(Text($"M{Left} {bottom:0.#}"));
        var drawn = 0.0;
        for (var column = 0; column < values.Length; column++)
        {
            if (values[column] == drawn)
                continue;
            drawn = values[column];
            path.Append(Text($"H{Left + column}V{bottom - (drawn * scale):0.#}"));
        }
        return path.Append(Text($"H{Left + values.Length - 1}V{bottom:0.#}")).ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
