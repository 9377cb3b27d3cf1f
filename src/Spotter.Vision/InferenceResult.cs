using Spotter.Core;


namespace Spotter.Vision;

/// <summary>What a model has to say about one picture. Dispose of it when the annotated picture has been read.</summary>
/// <param name="Result">What was found.</param>
/// <param name="Timings">Where the time went; queueing and fetching are not known here.</param>
/// <param name="Picture">The annotated picture, a JPEG; null when none was asked for.</param>
public sealed record InferenceResult(VisionResult Result, JobTimings Timings, EncodedPicture? Picture) : IDisposable
{
    /// <summary>The bytes of <see cref="Picture"/>; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Annotated => Picture?.Bytes ?? default;

    /// <inheritdoc/>
    public void Dispose() => Picture?.Dispose();
}
