namespace Spotter.Gateway.Cameras;

/// <summary>What this door reads of a job's result, as the engines that run models write it.</summary>
/// <param name="Width">Width of the upright picture in pixels.</param>
/// <param name="Height">Height of the upright picture in pixels.</param>
/// <param name="Detections">What was found; null when the model finds no objects.</param>
/// <param name="Labels">What the picture shows as a whole, the most confident first; null when the model doesn't say.</param>
internal sealed record FoundResult(int Width, int Height, IReadOnlyList<FoundObject>? Detections, IReadOnlyList<FoundLabel>? Labels)
{
    private const int MostNamed = 3;

    /// <summary>The objects as DeepStack shows them, the most confident first: programs stop reading at one that says too little.</summary>
    /// <param name="most">How many at most.</param>
    public IReadOnlyList<CameraPrediction> Predictions(int most) =>
    [
        .. (Detections ?? []).OrderByDescending(d => d.Confidence).Take(most).Select(d => new CameraPrediction(
            d.Confidence, d.Label, Pixel(d.Box.Y1, Height), Pixel(d.Box.X1, Width), Pixel(d.Box.Y2, Height), Pixel(d.Box.X2, Width))),
    ];

    /// <summary>Predictions in words, as CodeProject.AI says them. Those that are none say from which confidence on they were looked for.</summary>
    public static string Message(IReadOnlyList<CameraPrediction> predictions, double confidence) => predictions.Count switch
    {
        0 => $"No objects found with a confidence of {MinConfidence.Text(confidence)} or more",
        <= MostNamed => $"Found {string.Join(", ", predictions.Select(p => p.Label))}",
        _ => $"Found {string.Join(", ", predictions.Take(MostNamed).Select(p => p.Label))}...",
    };

    private static int Pixel(double edge, int most) => (int)Math.Clamp(Math.Round(edge, MidpointRounding.AwayFromZero), 0, most);
}

/// <summary>An object.</summary>
internal sealed record FoundObject(string Label, double Confidence, FoundBox Box);

/// <summary>Where it is.</summary>
internal readonly record struct FoundBox(double X1, double Y1, double X2, double Y2);

/// <summary>A label of the whole picture.</summary>
internal sealed record FoundLabel(string Label, double Confidence);
