using System.Globalization;
using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Writes what a picture shows as a whole, or what its colours mean, on a plate in its corner, each with a bar.</summary>
internal static class LabelList
{
    // Dark enough for white words, and what is under it can still be made out.
    private const int Dark = 190;

    public static void Paint(Canvas canvas, IReadOnlyList<(string Name, double Share, Colour Colour)> labels)
    {
        var style = LabelStyle.For(canvas.Width, canvas.Height, labels: 1);
        var bar = Math.Max(2, style.Font / 6);
        var row = style.Line + bar + style.Padding;
        // Half of a small picture stays free.
        var count = Math.Clamp((canvas.Height / 2) / row, 1, labels.Count);
        var lines = new List<((string Name, double Share, Colour Colour) Label, TextMask Name, TextMask Sure)>(count);
        for (var i = 0; i < count; i++)
        {
            var sure = string.Create(CultureInfo.InvariantCulture, $"{labels[i].Share * 100:0}%");
            lines.Add((labels[i], TextMask.Of(labels[i].Name, style.Font), TextMask.Of(sure, style.Font)));
        }
        var inner = Math.Min(lines.Max(line => line.Name.Right + (2 * style.Gap) + line.Sure.Right), Math.Max(1, canvas.Width - (4 * style.Padding)));

        var brush = new Brush(canvas);
        int left = 2 * style.Padding, top = style.Padding;
        brush.Tint(0, 0, inner + (2 * left), (count * row) + (2 * style.Padding), Colour.Ink, Dark);
        foreach (var (label, name, sure) in lines)
        {
            // A name that is too long makes room for the number.
            var number = left + inner - sure.Right;
            brush.Text(name, left, top + style.Rise, number - style.Gap, Colour.White);
            brush.Text(sure, number, top + style.Rise, left + inner, Colour.White);
            brush.Tint(left, top + style.Line, left + inner, top + style.Line + bar, Colour.White, 60);
            brush.Fill(left, top + style.Line, left + (int)Math.Round(inner * Math.Clamp(label.Share, 0, 1)), top + style.Line + bar, label.Colour);
            top += row;
        }
    }
}
