using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Engines;

/// <summary>What came of a job. Dispose of it when the output has been handed in.</summary>
/// <param name="Result">What is kept in the row.</param>
/// <param name="Timings">Where the time went; queueing and fetching are not known here.</param>
/// <param name="Output">What was made besides, as an annotated picture; null for nothing.</param>
public sealed record EngineResult(RawJson Result, JobTimings Timings, EngineOutput? Output = null) : IDisposable
{
    /// <summary>Which version of the model ran; null when none did.</summary>
    public string? ModelVersion { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Output?.Dispose();
}

/// <summary>The answer to one of several jobs that ran together: one of the two.</summary>
/// <param name="Result">What came of it.</param>
/// <param name="Refusal">Why it can't succeed.</param>
public readonly record struct EngineAnswer(EngineResult? Result, SpotterException? Refusal);

/// <summary>Something that an engine made: in the memory of whoever made it, so that none of it is copied, or in a file.</summary>
public sealed class EngineOutput : IDisposable
{
    private readonly EncodedPicture? picture;

    /// <summary>An output in memory, which is given back with it.</summary>
    public EngineOutput(EncodedPicture picture) => this.picture = picture;

    /// <summary>An output in a file, which is deleted with it.</summary>
    public EngineOutput(string file) => File = file;

    /// <summary>The bytes of an output in memory; not to be read once it is disposed of.</summary>
    public ReadOnlyMemory<byte> Bytes => picture?.Bytes ?? throw new InvalidOperationException("The output is in a file.");

    /// <summary>The path of an output in a file; null when it is in memory.</summary>
    public string? File { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        picture?.Dispose();
        if (File is not null)
            System.IO.File.Delete(File);
    }
}
