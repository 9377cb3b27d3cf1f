namespace Spotter.Core.Vision;

/// <summary>The ids of the engines that come with Spotter.</summary>
public static class Engines
{
    /// <summary>Finds objects and their boxes.</summary>
    public const string Detect = "detect";

    /// <summary>Draws the boxes of an earlier result on its picture; made by Spotter itself, never by a request.</summary>
    public const string Annotate = "annotate";
}
