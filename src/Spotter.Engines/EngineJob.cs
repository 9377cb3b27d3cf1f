using System.Runtime.InteropServices;
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

/// <summary>
/// An input as it was fetched: in memory, or in a file for engines whose inputs are too large for that
/// (<see cref="EngineLimits.InputsAsFiles"/>).
/// </summary>
public sealed class EngineInput
{
    private readonly ReadOnlyMemory<byte>? bytes;
    private readonly string? file;

    /// <summary>An input in memory, which is borrowed.</summary>
    public EngineInput(ReadOnlyMemory<byte> bytes) => this.bytes = bytes;

    /// <summary>An input in a file.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="sha256">The hash of its bytes, as in <see cref="InputRef.Sha256"/>.</param>
    public EngineInput(string file, string sha256) => (this.file, Sha256) = (file, sha256);

    /// <summary>The bytes of an input in memory.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes ?? throw new InvalidOperationException("The input is in a file: its engine asks for that.");

    /// <summary>The path of an input in a file.</summary>
    public string File => file ?? throw new InvalidOperationException("The input is in memory: its engine does not ask for files.");

    /// <summary>The hash of an input in a file, taken as it was written; null for one in memory.</summary>
    public string? Sha256 { get; }

    /// <summary>The bytes from their start, wherever they are. For large inputs: they are read once, in order.</summary>
    public Stream Open() => file is not null
        ? new FileStream(file, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 64 * 1024 })
        : MemoryMarshal.TryGetArray(Bytes, out var array) ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false) : new MemoryStream(Bytes.ToArray(), writable: false);
}
