using Spotter.Core;
using Spotter.Jobs;

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
