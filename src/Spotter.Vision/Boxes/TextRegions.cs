using System.Buffers;
using System.Numerics.Tensors;
using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>
/// From a map of how likely each pixel is one of text to the lines of text: a turned rectangle around each connected region. Such models are
/// trained to find text shrunk, so each rectangle grows again (DB, arXiv 1911.08947).
/// </summary>
internal static class TextRegions
{
    /// <summary>A region is sure of itself from here on, whatever less is asked for: below, it is a stain more often than text.</summary>
    public const float LeastScore = 0.6f;

    // As PaddleOCR has them: what is a region, how far it grows, and which are looked at.
    private const float Ink = 0.3f;
    private const double Growth = 1.5;
    private const int ShortestEdge = 3;
    private const int MostRegions = 1000;

    /// <summary>Finds the lines of text, in pixels of the map.</summary>
    /// <param name="numbers">The map, row by row.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="activation">What the numbers still need to be probabilities.</param>
    /// <param name="confidence">Lines below this are left out.</param>
    /// <param name="into">Takes them.</param>
    public static void Read(ReadOnlySpan<float> numbers, int width, Activation activation, float confidence, Candidates into)
    {
        if (activation != Activation.Sigmoid)
        {
            Read(numbers, width, Math.Max(confidence, LeastScore), into);
            return;
        }
        var shares = ArrayPool<float>.Shared.Rent(numbers.Length);
        TensorPrimitives.Sigmoid(numbers, shares);
        Read(shares.AsSpan(0, numbers.Length), width, Math.Max(confidence, LeastScore), into);
        ArrayPool<float>.Shared.Return(shares);
    }

    private static void Read(ReadOnlySpan<float> map, int width, float least, Candidates into)
    {
        var regions = MapRegions.Of(map, width, Ink, ShortestEdge, MostRegions);
        for (var i = 0; i < regions.Count; i++)
        {
            var found = TurnedRectangle.Around(regions[i]);
            if (Math.Min(found.Width, found.Height) < ShortestEdge)
                continue;
            var score = (float)found.MeanOf(map, width);
            if (score < least)
                continue;
            var (along, across) = ((found.Width / 2) + Distance(found), (found.Height / 2) + Distance(found));
            into.Add(new Candidate(
                (float)(found.X - along), (float)(found.Y - across), (float)(found.X + along), (float)(found.Y + across), score, ClassId: 0, Anchor: i, (float)found.Angle));
        }
    }

    /// <summary>How far each edge moves outwards: the more, the larger the area is for its outline.</summary>
    private static double Distance(in TurnedRectangle box) => Growth * box.Width * box.Height / (2 * (box.Width + box.Height));
}
