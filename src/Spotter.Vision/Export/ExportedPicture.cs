namespace Spotter.Vision.Export;

/// <summary>A picture and what was found in it, to be written in the format of another tool.</summary>
/// <param name="Name">What the picture is called, with its extension.</param>
/// <param name="Source">Where it is to be had: a path or an address.</param>
/// <param name="Result">What was found.</param>
public sealed record ExportedPicture(string Name, string Source, VisionResult Result)
{
    /// <summary>Its objects; classes of pixels count as objects that are sure.</summary>
    internal IEnumerable<ExportedObject> Objects =>
    [
        .. (Result.Detections ?? []).Select(d => new ExportedObject(d.Label, d.ClassId, d.Confidence, d.Box)
        {
            Polygons = d.Mask?.Polygons,
            Pixels = d.Mask is { } mask ? mask.Rle.Counts.Where((_, i) => i % 2 == 1).Sum(run => (long)run) : null,
            Oriented = d.Oriented,
            Keypoints = d.Keypoints,
            Text = d.Then?.Reading?.Text,
        }),
        .. (Result.Regions ?? []).Select(r => new ExportedObject(r.Label, r.ClassId, 1, r.Box)
        {
            Polygons = r.Polygons,
            Pixels = (long)(r.Share * Result.Width * Result.Height),
        }),
    ];
}

/// <summary>An object of a picture, whatever kind of model found it.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="ClassId">The class's index in the model's output.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Box">Where it is, in pixels.</param>
internal sealed record ExportedObject(string Label, int ClassId, double Confidence, Box Box)
{
    private const int PolygonNumbers = 6;

    // From here on a keypoint counts as seen.
    private const double Seen = 0.5;

    /// <summary>Outlines as flat lists x, y, x, y …; null for an object that has a box only.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? Polygons { get; init; }

    /// <summary>How many pixels are its own; null for an object that has a box only.</summary>
    public long? Pixels { get; init; }

    /// <summary>Its turned box; null for most.</summary>
    public OrientedBox? Oriented { get; init; }

    /// <summary>Its keypoints; null for most.</summary>
    public IReadOnlyList<Keypoint>? Keypoints { get; init; }

    /// <summary>What a second model read in it; null for most.</summary>
    public string? Text { get; init; }

    /// <summary>Its outlines that are areas: of a turned box its corners; none for an object that has a box only.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Outlines =>
        Oriented is { } turned ? [[.. turned.Corners.SelectMany(c => (double[])[c.X, c.Y])]]
        : [.. (Polygons ?? []).Where(polygon => polygon.Count >= PolygonNumbers)];

    /// <summary>True for a point that can be seen.</summary>
    public static bool IsSeen(Keypoint point) => point.Confidence is null or >= Seen;
}
