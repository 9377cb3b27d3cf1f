using System.Globalization;

namespace Spotter.Vision.Models;

/// <summary>How the size of an input follows the picture, where the model leaves it free.</summary>
/// <param name="Step">Edges are multiples of this.</param>
/// <param name="Least">Shortest edge that is given.</param>
/// <param name="Most">Longest edge that is given.</param>
/// <param name="KeepsHeight">The height is always the same, and the width is that of the picture at this height.</param>
internal sealed record FreeSize(int Step, int Least, int Most, bool KeepsHeight = false)
{
    /// <summary>The input's size for a picture, which is never enlarged along its longer edge unless the height is always the same.</summary>
    /// <param name="width">The picture's width.</param>
    /// <param name="height">The picture's height.</param>
    /// <param name="inputHeight">The input's height, if it is always the same.</param>
    public (int Width, int Height) For(int width, int height, int inputHeight)
    {
        if (KeepsHeight)
            return (Edge(Math.Ceiling((double)width * inputHeight / height)), inputHeight);
        var scale = Math.Min(1, (double)Most / Math.Max(width, height));
        return (Edge(width * scale), Edge(height * scale));
    }

    private int Edge(double wanted) => (int)Math.Clamp(Math.Round(wanted / Step) * Step, Least, Most);

    /// <summary>In words, for people.</summary>
    public override string ToString() => KeepsHeight
        ? string.Create(CultureInfo.InvariantCulture, $"the width follows the picture, {Least} to {Most}")
        : string.Create(CultureInfo.InvariantCulture, $"follows the picture, {Most} at most, in steps of {Step}");
}
