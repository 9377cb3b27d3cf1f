namespace Spotter.Vision.Images;

/// <summary>
/// The weights of a triangle filter along one axis: linear interpolation between pixel centres, widened when the picture
/// gets smaller so that every source pixel counts.
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

    /// <summary>How many source pixels count for each target pixel; weights of those that are too many are 0.</summary>
    public int Taps { get; }

    /// <summary><see cref="Taps"/> weights per target pixel; their sum is 1.</summary>
    public float[] Weights { get; }

    public ReadOnlySpan<float> WeightsOf(int target) => Weights.AsSpan(target * Taps, Taps);

    /// <param name="source">Source pixels that exist.</param>
    /// <param name="extent">Source pixels that the target covers; a shrunken picture's last pixel may lie partly outside.</param>
    /// <param name="target">Target pixels.</param>
    public static ResampleAxis Create(int source, double extent, int target)
    {
        var scale = extent / target;
        var radius = Math.Max(1, scale);
        var taps = Math.Min(source, (int)Math.Ceiling(radius * 2) + 1);
        var axis = new ResampleAxis(target, taps);
        for (var i = 0; i < target; i++)
        {
            var centre = ((i + 0.5) * scale) - 0.5;
            var first = Math.Clamp((int)Math.Ceiling(centre - radius), 0, source - taps);
            axis.First[i] = first;
            var weights = axis.Weights.AsSpan(i * taps, taps);
            double sum = 0;
            for (var k = 0; k < taps; k++)
            {
                // Beyond the edge the last pixel goes on.
                var weight = Triangle((first + k - centre) / radius);
                if (first + k == 0)
                    weight += Beyond(centre, radius, -1, -1);
                if (first + k == source - 1)
                    weight += Beyond(centre, radius, source, 1);
                weights[k] = (float)weight;
                sum += weight;
            }
            for (var k = 0; k < taps; k++)
                weights[k] = (float)(weights[k] / sum);
        }
        return axis;
    }

    private static double Triangle(double distance) => Math.Max(0, 1 - Math.Abs(distance));

    private static double Beyond(double centre, double radius, int from, int direction)
    {
        double sum = 0;
        for (var at = from; Math.Abs(at - centre) < radius; at += direction)
            sum += Triangle((at - centre) / radius);
        return sum;
    }
}
