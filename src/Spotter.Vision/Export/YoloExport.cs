using System.Globalization;
using System.Text;

namespace Spotter.Vision.Export;

/// <summary>
/// Label lines as YOLO is trained with (Ultralytics, "Dataset format"): the class's number, then shares of the picture's width and height.
/// Boxes are their middle and their size; masks an outline; poses a box and then x, y and 2 or 0 for each point; turned boxes four corners.
/// </summary>
internal static class YoloExport
{
    private const int Digits = 6;

    /// <summary>The lines of a picture; none when nothing was found.</summary>
    public static string Write(ExportedPicture picture, ClassNumbers classes)
    {
        var text = new StringBuilder();
        double width = picture.Result.Width, height = picture.Result.Height;
        foreach (var found in picture.Objects)
        {
            text.Append(CultureInfo.InvariantCulture, $"{classes.Of(found)}");
            foreach (var number in Numbers(found, width, height))
                text.Append(CultureInfo.InvariantCulture, $" {number}");
            text.Append('\n');
        }
        return text.ToString();
    }

    private static IEnumerable<double> Numbers(ExportedObject found, double width, double height)
    {
        if (found.Polygons is not null || found.Oriented is not null)
            return (found.Outlines is [var largest, ..] ? largest : Corners(found.Box)).Select((n, i) => Share(n, i % 2 == 0 ? width : height));
        var box = found.Box;
        double[] numbers = [Share((box.X1 + box.X2) / 2, width), Share((box.Y1 + box.Y2) / 2, height), Share(box.X2 - box.X1, width), Share(box.Y2 - box.Y1, height)];
        return numbers.Concat((found.Keypoints ?? []).SelectMany(p => ExportedObject.IsSeen(p) ? (double[])[Share(p.X, width), Share(p.Y, height), 2] : [0, 0, 0]));
    }

    private static double[] Corners(Box box) => [box.X1, box.Y1, box.X2, box.Y1, box.X2, box.Y2, box.X1, box.Y2];

    private static double Share(double pixels, double of) => Math.Round(Math.Clamp(pixels / of, 0, 1), Digits);
}
