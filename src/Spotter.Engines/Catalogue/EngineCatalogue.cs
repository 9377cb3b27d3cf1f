using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Engines.Detect;
using Spotter.Engines.Filter;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Engines.Catalogue;

/// <summary>All engines: the one place where they are registered.</summary>
public static class EngineCatalogue
{
    /// <summary>The engines, by name.</summary>
    public static IReadOnlyList<IEngine> All { get; } =
    [
        new AnnotateEngine(),
        new VisionEngine(VisionTasks.Classify, "Says what a picture shows as a whole"),
        new VisionEngine(VisionTasks.Detect, "Finds objects and their boxes"),
        new FilterEngine(),
        new VisionEngine(VisionTasks.Obb, "Finds objects and boxes that are turned with them"),
        new VisionEngine(VisionTasks.Pose, "Finds objects and their keypoints, as the joints of people"),
        new VisionEngine(VisionTasks.Segment, "Finds objects and their outlines"),
    ];

    /// <summary>Those that requests may choose.</summary>
    public static IReadOnlyList<IOfferedEngine> Offered { get; } = [.. All.OfType<IOfferedEngine>()];

    private static readonly Dictionary<string, IEngine> ByName = All.ToDictionary(e => e.Name, StringComparer.Ordinal);

    /// <summary>The engine of this name; null if there is none.</summary>
    public static IEngine? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The engine of this name, if requests may choose it.</summary>
    public static IOfferedEngine? FindOffered(string name) => Find(name) as IOfferedEngine;

    /// <summary>The queues of all jobs that can be run with these models: those of the engines that need none among them.</summary>
    public static IEnumerable<string> QueuesOf(IEnumerable<ModelInfo> models) =>
    [
        .. All.Where(e => !e.NeedsModel).Select(e => QueueNames.Of(e.Name, null)),
        .. models.SelectMany(m => All.Where(e => e.Takes(m)).Select(e => QueueNames.Of(e.Name, m.Id))),
    ];

    /// <summary>
    /// The result of a job as one line of CSV, without an end: what its input is called, without extension, and the result
    /// in words. Null when there are no words for it.
    /// </summary>
    public static string? LineOf(Job job)
    {
        if (job.Result is not { } result || FindOffered(job.Engine)?.Describe(result) is not { } words)
            return null;
        return OutputLine.Of(job.Name is { } name ? PictureName.StemOf(name) : job.Id.Value, words);
    }
}
