namespace Spotter.Vision;

/// <summary>What models are for. Each is the name of the engine that runs such models too.</summary>
public static class VisionTasks
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

    /// <summary>Reads the line of text that a picture shows.</summary>
    public const string Read = "read";

    /// <summary>Says of every pixel which class it belongs to.</summary>
    public const string Semantic = "semantic";

    /// <summary>Says of every pixel how near it is, compared with the others.</summary>
    public const string Depth = "depth";

    /// <summary>Says of every pixel how likely it belongs to what stands out.</summary>
    public const string Saliency = "saliency";

    /// <summary>Turns a picture into a vector that is near to those of pictures like it.</summary>
    public const string Embed = "embed";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Detect, Classify, Segment, Pose, Obb, Read, Semantic, Depth, Saliency, Embed];

    /// <summary>Those whose results are a map of the picture, a file.</summary>
    public static IReadOnlyList<string> WithMaps { get; } = [Semantic, Depth, Saliency];

    /// <summary>Those whose map is of values, not of classes.</summary>
    public static IReadOnlyList<string> WithValues { get; } = [Depth, Saliency];

    /// <summary>True for those whose results have boxes of objects.</summary>
    public static bool HasBoxes(string task) => task is Detect or Segment or Pose or Obb;
}
