using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Spotter.Vision.Images;

/// <summary>
/// Converts 8-bit pixels of a profile of three curves and a matrix to sRGB: each level of each colour adds its light, and the sum
/// is looked up. Within one level of what a colour management system makes of them, at a quarter of the time. What lies outside
/// sRGB becomes the nearest that it has, colour by colour.
/// </summary>
internal sealed unsafe class ColourTable
{
    // Even in the dark, where sRGB has the most levels for the least light, more than two of these make one.
    private const int Steps = 8192;

    private static readonly byte[] Encoded = Encode();
    private static readonly double[][] FromXyz = Invert(Srgb.Primaries);

    // Red, green and blue light in steps that each level of each colour adds; the fourth number is 0.
    private readonly Vector128<float>[] light = new Vector128<float>[3 * ToneCurve.Levels];

    /// <param name="curves">For each of red, green and blue the share of light of each level.</param>
    /// <param name="primaries">For each of them X, Y and Z under D50.</param>
    public ColourTable(double[][] curves, double[][] primaries)
    {
        for (var colour = 0; colour < 3; colour++)
        {
            var xyz = primaries[colour];
            // The half step that rounding takes is in each sum once.
            var half = colour == 0 ? 0.5f : 0;
            var (red, green, blue) = (Steps * Part(0, xyz), Steps * Part(1, xyz), Steps * Part(2, xyz));
            for (var level = 0; level < ToneCurve.Levels; level++)
            {
                var share = curves[colour][level];
                light[(colour * ToneCurve.Levels) + level] = Vector128.Create((float)(red * share) + half, (float)(green * share) + half, (float)(blue * share) + half, 0);
            }
        }
    }

    /// <summary>Converts pixels in place.</summary>
    /// <param name="pixels">Red, green and blue of each.</param>
    public void Convert(Span<byte> pixels)
    {
        var most = Vector128.Create((float)Steps);
        ref var red = ref MemoryMarshal.GetArrayDataReference(light);
        ref var green = ref Unsafe.Add(ref red, ToneCurve.Levels);
        ref var blue = ref Unsafe.Add(ref green, ToneCurve.Levels);
        ref var encoded = ref MemoryMarshal.GetArrayDataReference(Encoded);
        fixed (byte* first = pixels)
        {
            var end = first + pixels.Length;
            for (var pixel = first; pixel + 3 <= end; pixel += 3)
            {
                var sum = Unsafe.Add(ref red, pixel[0]) + Unsafe.Add(ref green, pixel[1]) + Unsafe.Add(ref blue, pixel[2]);
                var steps = Vector128.ConvertToInt32Native(Vector128.MinNative(Vector128.MaxNative(sum, Vector128<float>.Zero), most));
                pixel[0] = Unsafe.Add(ref encoded, steps[0]);
                pixel[1] = Unsafe.Add(ref encoded, steps[1]);
                pixel[2] = Unsafe.Add(ref encoded, steps[2]);
            }
        }
    }

    private static byte[] Encode()
    {
        var encoded = new byte[Steps + 1];
        for (var step = 0; step < encoded.Length; step++)
            encoded[step] = (byte)Math.Round(255 * Srgb.Encode((double)step / Steps));
        return encoded;
    }

    /// <summary>How much of one of sRGB's colours there is in X, Y and Z.</summary>
    private static double Part(int colour, double[] xyz) => (FromXyz[colour][0] * xyz[0]) + (FromXyz[colour][1] * xyz[1]) + (FromXyz[colour][2] * xyz[2]);

    /// <summary>The inverse of the matrix whose columns these are.</summary>
    private static double[][] Invert(IReadOnlyList<double[]> columns)
    {
        var (r, g, b) = (columns[0], columns[1], columns[2]);
        var rows = (double[][])[Cross(g, b), Cross(b, r), Cross(r, g)];
        var size = (r[0] * rows[0][0]) + (r[1] * rows[0][1]) + (r[2] * rows[0][2]);
        foreach (var row in rows)
        {
            for (var i = 0; i < 3; i++)
                row[i] /= size;
        }
        return rows;
    }

    private static double[] Cross(double[] a, double[] b) => [(a[1] * b[2]) - (a[2] * b[1]), (a[2] * b[0]) - (a[0] * b[2]), (a[0] * b[1]) - (a[1] * b[0])];
}
