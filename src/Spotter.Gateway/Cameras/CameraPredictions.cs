namespace Spotter.Gateway.Cameras;

/// <summary>What was found, in the words of camera software.</summary>
internal static class CameraPredictions
{
    private const int MostNamed = 3;

    /// <summary>The objects as DeepStack shows them, the most confident first: programs stop reading at one that says too little.</summary>
    /// <param name="result">The result.</param>
    /// <param name="most">How many at most.</param>
    public static IReadOnlyList<CameraPrediction> Of(PictureResult result, int most) =>
    [
        .. (result.Detections ?? []).OrderByDescending(d => d.Confidence).Take(most).Select(d => new CameraPrediction(
            d.Confidence, d.Label, Pixel(d.Box.Y1, result.Height), Pixel(d.Box.X1, result.Width), Pixel(d.Box.Y2, result.Height), Pixel(d.Box.X2, result.Width))),
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
