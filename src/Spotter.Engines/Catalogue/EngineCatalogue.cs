using Spotter.Core;
using Spotter.Engines.Annotate;
using Spotter.Engines.Detect;
using Spotter.Engines.Filter;
using Spotter.Engines.Joined;
using Spotter.Engines.Options;
using Spotter.Engines.Tensor;
using Spotter.Jobs;
using Spotter.Vision;

namespace Spotter.Engines.Catalogue;

/// <summary>
/// The engines of a deployment: those that are compiled in, and those that workers bring (<see cref="Follow"/>). Everything that is
/// said of engines and their options comes from here. Safe to use from many threads.
/// </summary>
public sealed class EngineCatalogue
{
    private volatile Lists lists;

    /// <summary>Creates a catalogue of these engines, whose names differ.</summary>
    public EngineCatalogue(IReadOnlyList<IEngine> engines)
    {
        Compiled = engines;
        lists = new Lists(engines, []);
    }

    /// <summary>The engines that come with Spotter: the one place where they are registered, by name.</summary>
    public static EngineCatalogue BuiltIn { get; } = new(
    [
        new AnnotateEngine(),
        new VisionEngine(VisionTasks.Classify, "Says what a picture shows as a whole"),
        new VisionEngine(VisionTasks.Depth, "Says of every pixel how near it is, compared with the others"),
        new VisionEngine(VisionTasks.Detect, "Finds objects and their boxes"),
        new VisionEngine(VisionTasks.Embed, "Turns a picture into a vector that is near to those of pictures like it"),
        new FilterEngine(),
        new VisionEngine(VisionTasks.Obb, "Finds objects and boxes that are turned with them"),
        new VisionEngine(VisionTasks.Pose, "Finds objects and their keypoints, as the joints of people"),
        new VisionEngine(VisionTasks.Read, "Reads the line of text that a picture shows"),
        new VisionEngine(VisionTasks.Saliency, "Says of every pixel how likely it belongs to what stands out"),
        new VisionEngine(VisionTasks.Segment, "Finds objects and their outlines"),
        new VisionEngine(VisionTasks.Semantic, "Says of every pixel which class it belongs to"),
        new TensorEngine(),
    ]);

    /// <summary>Those that the program brings.</summary>
    public IReadOnlyList<IEngine> Compiled { get; }

    /// <summary>All of them.</summary>
    public IReadOnlyList<IEngine> All => lists.All;

    /// <summary>Those that requests may choose.</summary>
    public IReadOnlyList<IOfferedEngine> Offered => lists.Offered;

    /// <summary>The options that say which engine and model run a job.</summary>
    public IReadOnlyList<JobOption> Choosing => lists.Choosing;

    /// <summary>All options, each once.</summary>
    public IReadOnlyList<JobOption> Options => lists.Options;

    /// <summary>The engine of this name; null if there is none.</summary>
    public IEngine? Find(string name) => lists.ByName.GetValueOrDefault(name);

    /// <summary>The engine of this name, if requests may choose it.</summary>
    public IOfferedEngine? FindOffered(string name) => Find(name) as IOfferedEngine;

    /// <summary>The engine of this name, or else of this id, if requests may choose it.</summary>
    public IOfferedEngine? FindById(string id) => FindOffered(id) ?? Offered.FirstOrDefault(e => e is JoinedEngine joined && joined.Declared.Id == id);

    /// <summary>The option of this name; null if there is none. Of several, that of the engines that the program brings.</summary>
    public JobOption? FindOption(string name) => lists.OptionByName.GetValueOrDefault(name);

    /// <summary>True when an option of this name is a list or an object.</summary>
    public bool TakesStructure(string name) => lists.Structures.Contains(name);

    /// <summary>From now on the engines that workers bring are here as well.</summary>
    public void Follow(ModelCatalogue known)
    {
        known.EnginesChanged = engines => lists = new Lists(
            Compiled, [.. engines.Where(e => Compiled.All(c => c.Name != e.Id)).Select(e => new JoinedEngine(e.Declared!))]);
    }

    /// <summary>All that any engine takes that requests may choose.</summary>
    /// <param name="deployment">How many bytes the deployment lets in, where an engine does not say.</param>
    public InputTerms AnyTerms(long deployment) => new()
    {
        MediaTypes = [.. Offered.SelectMany(e => e.Limits.MediaTypes).Distinct(StringComparer.Ordinal)],
        MaxBytes = Offered.Select(e => e.Limits.InputBytes ?? deployment).Append(deployment).Max(),
    };

    /// <summary>The queues of all jobs that can be run with these models: those of the engines that need none among them.</summary>
    public IEnumerable<string> QueuesOf(IEnumerable<ModelInfo> models) =>
    [
        .. Compiled.Where(e => !e.NeedsModel).Select(e => QueueNames.Of(e.Name, null)),
        .. models.SelectMany(m => Compiled.Where(e => e.Takes(m)).Select(e => QueueNames.Of(e.Name, m.Id))),
    ];

    /// <summary>
    /// The result of a job as one line of CSV, without an end: what its input is called, without extension, and the result
    /// in words. Null when there are no words for it.
    /// </summary>
    public string? LineOf(Job job)
    {
        if (job.Result is not { } result || FindOffered(job.Engine)?.Describe(result) is not { } words)
            return null;
        return OutputLine.Of(job.Name is { } name ? PictureName.StemOf(name) : job.Id.Value, words);
    }

    /// <summary>All in one, so that a reader never sees one of before and one of now.</summary>
    private sealed class Lists
    {
        public Lists(IReadOnlyList<IEngine> compiled, IReadOnlyList<JoinedEngine> joined)
        {
            All = [.. compiled, .. joined];
            ByName = All.ToDictionary(e => e.Name, StringComparer.Ordinal);
            Offered = [.. All.OfType<IOfferedEngine>()];
            Choosing =
            [
                new("engine", "The engine; the model's by default", OptionValues.Any("an engine of this list", [.. Offered.Select(e => e.Name)]), null, OptionTraits.None),
                new("model", "The model's id, as in GET /v1/models; the first by default", OptionValues.Any("a model's id"), null, OptionTraits.None),
            ];
            List<JobOption> all = [.. Choosing, .. Offered.OrderByDescending(e => e.NeedsModel).SelectMany(e => e.Options), .. ScheduleOptions.All];
            Options = [.. all.DistinctBy(o => o.Name, StringComparer.Ordinal)];
            OptionByName = Options.ToDictionary(o => o.Name, StringComparer.Ordinal);
            Structures = all.Where(o => o.Values.Type == OptionType.Structure).Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        }

        public IReadOnlyList<IEngine> All { get; }

        public IReadOnlyList<IOfferedEngine> Offered { get; }

        public IReadOnlyList<JobOption> Choosing { get; }

        public IReadOnlyList<JobOption> Options { get; }

        public Dictionary<string, IEngine> ByName { get; }

        public Dictionary<string, JobOption> OptionByName { get; }

        public HashSet<string> Structures { get; }
    }
}
