namespace Spotter.Vision.Models;

/// <summary>How the numbers of a map lie in its output.</summary>
/// <param name="Width">Cells of a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Channels">Numbers of each cell: one per class, or one.</param>
/// <param name="ChannelsLast">The numbers of a cell lie together.</param>
internal sealed record MapSpec(int Width, int Height, int Channels, bool ChannelsLast)
{
    /// <summary>The one number of a cell is its class.</summary>
    public bool IsIds { get; init; }

    /// <summary>For one number that is the foreground's score: above this a cell belongs to it.</summary>
    public float Threshold { get; init; }
}
