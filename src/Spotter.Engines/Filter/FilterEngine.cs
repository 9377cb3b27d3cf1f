using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Filters;

namespace Spotter.Engines.Filter;

/// <summary>Makes another picture of one or several. Needs no model.</summary>
internal sealed class FilterEngine : IOfferedEngine
{
    public string Name => "filter";

    public string Help => "Makes another picture of one or several";

    public bool NeedsModel => false;

    public EngineLimits Limits { get; } = new();

    public IReadOnlyList<JobOption> Options => FilterOptions.Declared;

    // Their picture is made at once in any case.
    public IReadOnlyList<string> Ignored => ["annotate"];

    public string OutputMediaType => "image/png";

    public JsonTypeInfo ResultType => VisionJson.Default.VisionResult;

    public bool CanBeDrawn => false;

    public bool Takes(ModelInfo model) => false;

    public EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs)
    {
        var request = FilterOptions.Read(fields);
        var together = request.Kind == FilterKind.Concat;
        if (together && inputs < 2)
            throw new SpotterException(ErrorCodes.InvalidRequest, FilterCaption.LoneConcat);
        return new EngineRequest(RawJson.Of(request, FilterJson.Default.FilterRequest), CacheParameters: null, together);
    }

    public long MemoryOf(EngineJob job) => PictureFilter.MemoryOf(RequestOf(job), Pictures(job), job.Host.ImageLimits);

    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var made = PictureFilter.Run(RequestOf(job), Pictures(job), job.Host.ImageLimits, job.Host.Random);
        return new EngineResult(RawJson.Of(made.Result, VisionJson.Default.VisionResult), made.Timings, new EngineOutput(made.Picture!));
    }

    /// <summary>A picture says it all.</summary>
    public string? Describe(RawJson result) => null;

    private static FilterRequest RequestOf(EngineJob job) => job.Spec.Parameters.Read(FilterJson.Default.FilterRequest);

    private static IReadOnlyList<ReadOnlyMemory<byte>> Pictures(EngineJob job) => [.. job.Inputs.Select(i => i.Bytes)];
}
