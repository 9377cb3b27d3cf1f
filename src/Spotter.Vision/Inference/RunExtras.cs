using Spotter.Vision.Annotation;

namespace Spotter.Vision.Inference;

/// <summary>What a run needs for some of its options.</summary>
public sealed record RunExtras
{
    /// <summary>Takes the pictures that are cut out (<see cref="VisionParameters.Crops"/>) and maps; without it, none is made.</summary>
    public FileAction? OnFile { get; init; }

    /// <summary>The second model (<see cref="VisionParameters.Then"/>); without it, none is asked.</summary>
    public VisionModel? Then { get; init; }
}
