using System.Text.Json.Serialization;

namespace Spotter.Vision;

/// <summary>All pixels of a picture that belong to one class.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="ClassId">The class's index: the value of these pixels in the map.</param>
/// <param name="Share">The share of the picture's pixels that belong to it, 0 to 1.</param>
/// <param name="Box">The rectangle around them.</param>
public sealed record ClassRegion(string Label, int ClassId, double Share, Box Box)
{
    /// <summary>Outlines as flat lists x, y, x, y … in pixels, the largest first; none of the background.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Polygons { get; init; } = [];

    /// <summary>Outlines of what is left out of them, in the same form.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Holes { get; init; } = [];
}

/// <summary>A map of a picture, as large as it, which is a grey PNG among the files of the job.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Bits">Bits of each of its pixels, 8 or 16.</param>
public sealed record PictureMap(string File, int Bits)
{
    /// <summary>The least value that the model gave of the picture; null for a map of classes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Least { get; init; }

    /// <summary>The greatest value; null for a map of classes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Greatest { get; init; }
}
