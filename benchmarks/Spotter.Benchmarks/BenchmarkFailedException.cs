namespace Spotter.Benchmarks;

/// <summary>What a benchmark was to measure did not happen, so there is no figure.</summary>
/// <param name="message">One sentence: what did not happen.</param>
internal sealed class BenchmarkFailedException(string message) : Exception(message);
