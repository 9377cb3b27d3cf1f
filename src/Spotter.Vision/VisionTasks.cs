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

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Detect, Classify, Segment, Pose, Obb, Read];

    /// <summary>True for models that find objects, and false for those that only say something of the whole picture.</summary>
    public static bool HasBoxes(string task) => task is not (Classify or Read);
}
