using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Engines;

/// <summary>
/// Runs jobs: it alone knows what is in their parameters and results. It keeps nothing from one job to the next, so any
/// number of threads may use it at once; what a worker has is in <see cref="EngineJob.Host"/>.
/// </summary>
public interface IEngine
{
    /// <summary>What <see cref="JobSpec.Engine"/> calls it.</summary>
    string Name { get; }

    /// <summary>True when it runs no job without a model.</summary>
    bool NeedsModel { get; }

    /// <summary>How long its jobs may take and how large their inputs may be.</summary>
    EngineLimits Limits { get; }

    /// <summary>True for models that it can run.</summary>
    bool Takes(ModelInfo model);

    /// <summary>
    /// Bytes of memory that a job takes at most at one time, besides its inputs and what a model takes of itself. Judged from
    /// the first bytes of its inputs: asked for each job before it runs, so it should take no time. 0 for next to nothing.
    /// </summary>
    long MemoryOf(EngineJob job) => 0;

    /// <summary>Runs a job on the calling thread.</summary>
    /// <param name="job">The job with its inputs, which are the engine's until it returns.</param>
    /// <param name="progress">Told how far it is, 0 to 1, where that takes long.</param>
    /// <param name="cancel">Nobody wants the result any more; worth a look where a job takes long.</param>
    /// <exception cref="SpotterException">Why it can't succeed; <see cref="ErrorCodes.UnknownModel"/> when only this worker can't.</exception>
    EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel);
}

/// <summary>An engine that may run several jobs of one model faster together than one after the other.</summary>
public interface IBatchEngine : IEngine
{
    /// <summary>How many of so many waiting jobs like this one are best run at once.</summary>
    int AtOnce(JobSpec job, int waiting, EngineHost host);

    /// <summary>True for a job that is never run together with others.</summary>
    bool RunsAlone(JobSpec job) => false;

    /// <summary>Runs several jobs of one model; each has an answer of its own, in their order.</summary>
    /// <exception cref="SpotterException">None of them could be run together.</exception>
    IReadOnlyList<EngineAnswer> Run(IReadOnlyList<EngineJob> jobs);
}

/// <summary>An engine that requests may choose.</summary>
public interface IOfferedEngine : IEngine
{
    /// <summary>What it does, as a sentence without its end.</summary>
    string Help { get; }

    /// <summary>What requests can say to it.</summary>
    IReadOnlyList<JobOption> Options { get; }

    /// <summary>Fields that it accepts although they say nothing to it.</summary>
    IReadOnlyList<string> Ignored => [];

    /// <summary>The media type of what its jobs make; of what is drawn of their results, if nothing.</summary>
    string OutputMediaType { get; }

    /// <summary>True when its results can be drawn on their pictures.</summary>
    bool CanBeDrawn { get; }

    /// <summary>What is in its results, for documents: everybody else passes them on as they are.</summary>
    JsonTypeInfo ResultType { get; }

    /// <summary>From what a request says to what the engine is told.</summary>
    /// <param name="fields">What it says; fields of others are left to them.</param>
    /// <param name="model">The model that it takes; null when the engine needs none.</param>
    /// <param name="models">All models that requests may choose, for an engine that takes another one besides.</param>
    /// <param name="inputs">How many inputs came.</param>
    /// <exception cref="SpotterException">What is wrong, and what it may be.</exception>
    EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs);

    /// <summary>A result in words that fit on a line; null when it says nothing in words.</summary>
    string? Describe(RawJson result);
}

/// <summary>What an engine is told.</summary>
/// <param name="Parameters">See <see cref="JobSpec.Parameters"/>.</param>
/// <param name="CacheParameters">See <see cref="JobRequest.CacheParameters"/>.</param>
/// <param name="Together">True when all inputs belong to one job.</param>
public sealed record EngineRequest(RawJson Parameters, RawJson? CacheParameters, bool Together = false)
{
    /// <summary>Another model that its worker has to have besides; null for none.</summary>
    public ModelInfo? Then { get; init; }

    /// <summary>What runs it in the place of a model, for an engine that workers bring; null for the model that was chosen.</summary>
    public ModelInfo? RunBy { get; init; }

    /// <summary>See <see cref="JobRequest.PixelsPerRun"/>.</summary>
    public double? PixelsPerRun { get; init; }
}
