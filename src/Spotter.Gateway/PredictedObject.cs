namespace Spotter.Gateway;

/// <summary>An object as the earlier services wrote it: the middle and the size of its box, as parts (0 to 1) of the picture's width and height.</summary>
/// <param name="Class">The class's name.</param>
/// <param name="Cx">The middle from the left.</param>
/// <param name="Cy">The middle from the top.</param>
/// <param name="Width">Its width.</param>
/// <param name="Height">Its height.</param>
internal sealed record PredictedObject(string Class, double Cx, double Cy, double Width, double Height)
{
    // As many as a label file of YOLO has.
    private const int Digits = 6;

    /// <summary>The objects of a result, the most confident first; none for a result without boxes.</summary>
    public static IReadOnlyList<PredictedObject> Of(PictureResult result) => [.. (result.Detections ?? []).Select(found => Of(found, result.Width, result.Height))];

    private static PredictedObject Of(FoundObject found, double width, double height)
    {
        var box = found.Box;
        return new(found.Label, Part((box.X1 + box.X2) / 2, width), Part((box.Y1 + box.Y2) / 2, height), Part(box.X2 - box.X1, width), Part(box.Y2 - box.Y1, height));
    }

    private static double Part(double pixels, double of) => Math.Round(pixels / of, Digits);
}
