using Spotter.Core.Images;

namespace Spotter.Vision.Inference;

/// <summary>How a model runs.</summary>
public sealed record VisionModelOptions
{
    /// <summary>Threads that share the work of one run; 1 is the calling thread alone, best when several lanes run.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>What it is to run on; the processor takes its place where it can't be had (<see cref="VisionModel.NotOnDevice"/>).</summary>
    public Device Device { get; init; }

    /// <summary>The largest picture that is decoded.</summary>
    public ImageLimits Limits { get; init; } = new();
}
