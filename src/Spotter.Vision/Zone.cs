namespace Spotter.Vision;

/// <summary>A part of the picture with a name: a polygon in pixels of the upright picture. It may reach beyond the picture, and its sides may cross.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Points">Its corners, at least three; the last one is joined to the first.</param>
public sealed record Zone(string Name, IReadOnlyList<Point> Points)
{
    /// <summary>Most zones of one job.</summary>
    public const int Most = 32;

    /// <summary>Most corners of one zone.</summary>
    public const int MostPoints = 100;

    /// <summary>Most pixels that a corner is away from the picture's origin, along an edge.</summary>
    public const double Farthest = 1_000_000;

    /// <summary>Longest name, in characters.</summary>
    public const int LongestName = 64;
}
