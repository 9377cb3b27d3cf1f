namespace Spotter.Vision.Models;

/// <summary>How many boxes a detector proposes for an input size, by the strides of its heads.</summary>
internal static class AnchorGrid
{
    /// <summary>The strides of the usual three heads.</summary>
    public static IReadOnlyList<int> Strides { get; } = [8, 16, 32];

    private static readonly int[][] KnownStrides = [[8, 16, 32], [8, 16, 32, 64], [4, 8, 16, 32]];

    /// <summary>Cells of the usual three heads together.</summary>
    public static int Cells(int width, int height) => Cells(width, height, Strides);

    /// <summary>True when there are <paramref name="perCell"/> boxes for each cell of a known set of heads.</summary>
    public static bool Fits(int anchors, int width, int height, int perCell) =>
        KnownStrides.Any(strides => Cells(width, height, strides) * perCell == anchors);

    private static int Cells(int width, int height, IEnumerable<int> strides) => strides.Sum(s => width / s * (height / s));
}
