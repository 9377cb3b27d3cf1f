namespace Spotter.Core.Images;

/// <summary>How large a picture may be. Checked on its header, before anything is decoded.</summary>
public sealed record ImageLimits
{
    /// <summary>Most pixels, width times height.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Longest edge in pixels.</summary>
    public int MaxEdge { get; init; } = 16_384;
}
