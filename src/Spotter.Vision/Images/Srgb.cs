namespace Spotter.Vision.Images;

/// <summary>The colours that all else works on (IEC 61966-2-1).</summary>
internal static class Srgb
{
    /// <summary>X, Y and Z of red, green and blue as profiles have them: under D50.</summary>
    public static IReadOnlyList<double[]> Primaries { get; } = [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]];

    /// <summary>The value, 0 to 1, that stands for a share of the most light.</summary>
    public static double Encode(double light) => light <= 0.0031308 ? 12.92 * light : (1.055 * Math.Pow(light, 1 / 2.4)) - 0.055;
}
