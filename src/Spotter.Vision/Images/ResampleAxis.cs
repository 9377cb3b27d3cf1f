namespace Spotter.Vision.Images;

/// <summary>
/// The weights that scale a picture along one axis: blocks of 2, 4, 8 ... source pixels are averaged until less than
/// twice as many are left as are wanted, and between those it is linear, with pixels meeting at half. Detectors were
/// trained on linear scaling; the averaging lets every pixel of a large picture count, and is what a JPEG decoder does
/// when it shrinks, so that it makes next to no difference who does it.
/// </summary>
internal sealed class ResampleAxis
{
    private ResampleAxis(int length, int taps)
    {
        First = new int[length];
        Taps = taps;
        Weights = new float[length * taps];
    }

    /// <summary>Per target pixel, the first source pixel that counts.</summary>
    public int[] First { get; }

    /// <summary>How many source pixels are added up for each target pixel, some perhaps with weight 0.</summary>
    public int Taps { get; }

    /// <summary><see cref="Taps"/> weights per target pixel; their sum is 1.</summary>
    public float[] Weights { get; }

    /// <summary>True when every target pixel is a source pixel and its neighbour the next one.</summary>
    public bool IsIdentity { get; private init; }

    public ReadOnlySpan<float> WeightsOf(int target) => Weights.AsSpan(target * Taps, Taps);

    /// <param name="source">Source pixels that exist.</param>
    /// <param name="extent">Source pixels that the target covers; a shrunken picture's last pixel may lie partly outside.</param>
    /// <param name="target">Target pixels.</param>
    public static ResampleAxis Create(int source, double extent, int target) => Create(source, extent, target, 0, target, 0);

    /// <param name="source">Source pixels that exist.</param>
    /// <param name="extent">Source pixels that the target covers.</param>
    /// <param name="target">Target pixels.</param>
    /// <param name="start">The first target pixel that is wanted.</param>
    /// <param name="count">How many are wanted.</param>
    /// <param name="offset">Where the source begins in a longer row.</param>
    public static ResampleAxis Create(int source, double extent, int target, int start, int count, int offset)
    {
        var block = 1;
        while (extent / (block * 2) >= target)
            block *= 2;
        var blocks = (source + block - 1) / block;
        var scale = extent / block / target;
        var axis = new ResampleAxis(count, Math.Min(source, 2 * block)) { IsIdentity = extent == target };
        for (var i = 0; i < count; i++)
        {
            var centre = Math.Clamp(((start + i + 0.5) * scale) - 0.5, 0, blocks - 1);
            var left = (int)centre;
            var share = centre - left;
            axis.First[i] = Math.Min(left * block, source - axis.Taps);
            axis.Add(i, left * block, Math.Min(block, source - (left * block)), 1 - share);
            if (share > 0)
                axis.Add(i, (left + 1) * block, Math.Min(block, source - ((left + 1) * block)), share);
            axis.First[i] += offset;
        }
        return axis;
    }

    private void Add(int target, int from, int count, double weight)
    {
        var weights = Weights.AsSpan((target * Taps) + from - First[target], count);
        foreach (ref var w in weights)
            w += (float)(weight / count);
    }
}
