using Spotter.Core.Jobs;
using Spotter.Core.Vision;

namespace Spotter.Vision;

/// <summary>What a detector has to say about one picture.</summary>
/// <param name="Result">Objects, the most confident first.</param>
/// <param name="Timings">Where the time went; queueing and fetching are not known here.</param>
/// <param name="Annotated">The picture with its boxes as JPEG; empty when none was asked for.</param>
public sealed record Findings(VisionResult Result, JobTimings Timings, ReadOnlyMemory<byte> Annotated);
