using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Jobs;

namespace Spotter.Engines;

/// <summary>What a worker has that engines work with.</summary>
/// <param name="Models">The loaded models.</param>
/// <param name="ImageLimits">What pictures are decoded at all.</param>
/// <param name="Random">Where chance comes from.</param>
public sealed record EngineHost(LoadedModels Models, ImageLimits ImageLimits, RandomSource Random)
{
    /// <summary>The model of a job; dispose of the use when the job has ended.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnknownModel"/>: the worker has it no more.</exception>
    public LoadedModels.Use Use(JobSpec job) => Use(job.Model);

    /// <summary>As <see cref="Use(JobSpec)"/>, for a model that a job needs besides.</summary>
    public LoadedModels.Use Use(string? model) => Models.TryUse(model)
        ?? throw new SpotterException(ErrorCodes.UnknownModel, $"The worker that took the job has no model '{model}' any more.");
}

/// <summary>A job as an engine gets it.</summary>
/// <param name="Spec">What is to be done.</param>
/// <param name="Inputs">Its inputs, in the order of <see cref="JobSpec.Inputs"/>.</param>
/// <param name="Host">What there is to work with.</param>
public sealed record EngineJob(JobSpec Spec, IReadOnlyList<EngineInput> Inputs, EngineHost Host)
{
    /// <summary>Where the files go that it makes, besides <see cref="EngineResult.Output"/>.</summary>
    public OutputFiles Outputs { get; init; } = OutputFiles.None;
}
