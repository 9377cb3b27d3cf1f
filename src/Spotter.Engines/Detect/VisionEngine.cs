using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Inference;

namespace Spotter.Engines.Detect;

/// <summary>Runs models of one task on pictures, one each.</summary>
/// <param name="task">The task (<see cref="VisionTasks"/>).</param>
/// <param name="help">What such models do.</param>
internal sealed class VisionEngine(string task, string help) : IOfferedEngine, IBatchEngine
{
    public string Name => task;

    public string Help => help;

    public bool NeedsModel => true;

    public EngineLimits Limits { get; } = new();

    public IReadOnlyList<JobOption> Options => VisionOptions.Declared;

    public string OutputMediaType => "image/jpeg";

    public JsonTypeInfo ResultType => VisionJson.Default.VisionResult;

    // A map of values is drawn at once, and never again: its numbers are in a file.
    public bool CanBeDrawn => !MakesValues;

    private bool MakesMap => VisionTasks.WithMaps.Contains(task, StringComparer.Ordinal);

    private bool MakesValues => VisionTasks.WithValues.Contains(task, StringComparer.Ordinal);

    public bool Takes(ModelInfo model) => model.Engine == task;

    public EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs)
    {
        var asked = VisionOptions.Declared.Read(fields);
        var then = asked.Then is { } id ? Second(id, models) : null;
        var parameters = KnownLabels.In(asked, model!, "GET /v1/models", then);
        // What is drawn of it is not cached with a result.
        return new EngineRequest(Json(parameters), MakesValues ? null : Json(VisionOptions.Declared.Canonical(parameters)))
        {
            Then = then,
            PixelsPerRun = parameters.Tile is { } edge ? Math.Pow(Math.Max(1, edge * (1 - parameters.Overlap)), 2) : null,
        };
    }

    public long MemoryOf(EngineJob job) => VisionModel.MemoryOf(job.Inputs[0].Bytes, ParametersOf(job), job.Host.ImageLimits, MakesMap);

    public int AtOnce(JobSpec job, int waiting, EngineHost host)
    {
        if (RunsAlone(job))
            return 1;
        using var use = host.Models.TryUse(job.Model);
        return use?.Model.AtOnce(waiting) ?? 1;
    }

    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel)
    {
        var parameters = ParametersOf(job);
        using var use = job.Host.Use(job.Spec);
        using var then = parameters.Then is { } second ? job.Host.Use(second) : null;
        // A result of two models is the same again only while both are.
        var version = then is null ? use.Version : JobRequest.VersionOf(use.Version, then.Version);
        return ResultOf(use.Model.Run(job.Inputs[0].Bytes, parameters, new RunExtras { OnFile = Keep, Then = then?.Model }, progress, cancel), version);

        void Keep(string name, string mediaType, ReadOnlyMemory<byte> bytes)
        {
            using var file = job.Outputs.Create(name, mediaType);
            file.Write(bytes.Span);
        }
    }

    public bool RunsAlone(JobSpec job) => MakesMap || ParametersOf(job).RunsAlone;

    public IReadOnlyList<EngineAnswer> Run(IReadOnlyList<EngineJob> jobs)
    {
        using var use = jobs[0].Host.Use(jobs[0].Spec);
        var answers = use.Model.Run([.. jobs.Select(job => new BatchPicture(job.Inputs[0].Bytes, ParametersOf(job)))]);
        return [.. answers.Select(a => new EngineAnswer(a.InferenceResult is { } found ? ResultOf(found, use.Version) : null, a.Refusal))];
    }

    public string? Describe(RawJson result) => OutputLine.Words(result.Read(VisionJson.Default.VisionResult));

    private static ModelInfo Second(string id, IReadOnlyList<ModelInfo> models)
    {
        var possible = models.Where(m => VisionTasks.All.Contains(m.Engine, StringComparer.Ordinal)).ToList();
        return possible.Find(m => m.Id == id)
            ?? throw new SpotterException(ErrorCodes.UnknownModel, $"There is no model '{id}' to look at boxes; there is {string.Join(", ", possible.Select(m => $"'{m.Id}'"))}.");
    }

    private static VisionParameters ParametersOf(EngineJob job) => ParametersOf(job.Spec);

    private static VisionParameters ParametersOf(JobSpec job) => job.Parameters.Read(VisionJson.Default.VisionParameters);

    private static RawJson Json(VisionParameters parameters) => RawJson.Of(parameters, VisionJson.Default.VisionParameters);

    private static EngineResult ResultOf(InferenceResult found, string version) =>
        new(RawJson.Of(found.Result, VisionJson.Default.VisionResult), found.Timings, found.Picture is { } picture ? new EngineOutput(picture) : null) { ModelVersion = version };
}
