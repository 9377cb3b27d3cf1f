namespace Spotter.Core.Vision;

/// <summary>The ids of the engines that come with Spotter. For the first five the engine is what a model is for.</summary>
public static class Engines
{
    /// <summary>Finds objects and their boxes.</summary>
    public const string Detect = "detect";

    /// <summary>Says what a picture shows as a whole.</summary>
    public const string Classify = "classify";

    /// <summary>Finds objects and their outlines.</summary>
    public const string Segment = "segment";

    /// <summary>Finds objects and their keypoints, as the joints of people.</summary>
    public const string Pose = "pose";

    /// <summary>Finds objects and boxes that are turned with them.</summary>
    public const string Obb = "obb";

    /// <summary>Makes another picture of one or several, without a model.</summary>
    public const string Filter = "filter";

    /// <summary>Draws an earlier result on its picture; made by Spotter itself, never by a request.</summary>
    public const string Annotate = "annotate";

    /// <summary>The engines that need no model, so that every worker has them.</summary>
    public static IReadOnlyList<string> WithoutModel { get; } = [Filter, Annotate];
}
