namespace Spotter.Vision.Models;

/// <summary>How many boxes a detector proposes for an input size, by the strides of its heads.</summary>
internal static class AnchorGrid
{
    /// <summary>The strides of the usual three heads.</summary>
    public static IReadOnlyList<int> Strides { get; } = [8, 16, 32];

    /// <summary>With a fourth, coarser one.</summary>
    public static IReadOnlyList<int> LongStrides { get; } = [8, 16, 32, 64];

    private static readonly IReadOnlyList<int>[] KnownStrides = [Strides, LongStrides, [4, 8, 16, 32]];

    // With fewer of the finer or the coarser heads, and with more. Few boxes would fit them by chance.
    private const int FewestOfRare = 100;
    private static readonly IReadOnlyList<int>[] RareStrides = [[16, 32], [8, 16], [4, 8, 16], [4, 8, 16, 32, 64]];

    /// <summary>Cells of heads together; those that lie half outside count when <paramref name="partial"/> says so.</summary>
    public static int Cells(int width, int height, IEnumerable<int> strides, bool partial = false) =>
        strides.Sum(s => Along(width, s, partial) * Along(height, s, partial));

    /// <summary>Cells of one head along one edge.</summary>
    public static int Along(int edge, int stride, bool partial) => partial ? (edge + stride - 1) / stride : edge / stride;

    /// <summary>True when there are <paramref name="perCell"/> boxes for each cell of a known set of heads.</summary>
    public static bool Fits(long anchors, int width, int height, int perCell) =>
        (anchors >= FewestOfRare ? KnownStrides.Concat(RareStrides) : KnownStrides).Any(strides => (long)Cells(width, height, strides) * perCell == anchors);
}
