using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Spotter.Vision.Boxes;

/// <summary>Turns a row of 8-bit RGB pixels that needs no scaling into three rows of floats.</summary>
internal static unsafe class PlaneFill
{
    private const int Block = 16;

    private static readonly Vector128<byte> RedFirst = Vector128.Create((byte)0, 3, 6, 9, 12, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> RedSecond = Vector128.Create((byte)255, 255, 255, 255, 255, 255, 2, 5, 8, 11, 14, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> RedThird = Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 4, 7, 10, 13);
    private static readonly Vector128<byte> GreenFirst = Vector128.Create((byte)1, 4, 7, 10, 13, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> GreenSecond = Vector128.Create((byte)255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> GreenThird = Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 5, 8, 11, 14);
    private static readonly Vector128<byte> BlueFirst = Vector128.Create((byte)2, 5, 8, 11, 14, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> BlueSecond = Vector128.Create((byte)255, 255, 255, 255, 255, 1, 4, 7, 10, 13, 255, 255, 255, 255, 255, 255);
    private static readonly Vector128<byte> BlueThird = Vector128.Create((byte)255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15);

    /// <param name="pixels">Red, green, blue, red …</param>
    /// <param name="count">Pixels.</param>
    /// <param name="factor">What each channel is multiplied by, in the order red, green, blue.</param>
    /// <param name="offset">What is added to each channel after that.</param>
    /// <param name="red">Where the reds go.</param>
    /// <param name="green">Where the greens go.</param>
    /// <param name="blue">Where the blues go.</param>
    public static void Row(byte* pixels, int count, Vector128<float> factor, Vector128<float> offset, float* red, float* green, float* blue)
    {
        var i = 0;
        for (; i + Block <= count; i += Block, pixels += 3 * Block)
        {
            var (a, b, c) = (Vector128.Load(pixels), Vector128.Load(pixels + 16), Vector128.Load(pixels + 32));
            Store(Pick(a, b, c, RedFirst, RedSecond, RedThird), factor[0], offset[0], red + i);
            Store(Pick(a, b, c, GreenFirst, GreenSecond, GreenThird), factor[1], offset[1], green + i);
            Store(Pick(a, b, c, BlueFirst, BlueSecond, BlueThird), factor[2], offset[2], blue + i);
        }
        for (; i < count; i++, pixels += 3)
        {
            red[i] = MathF.FusedMultiplyAdd(pixels[0], factor[0], offset[0]);
            green[i] = MathF.FusedMultiplyAdd(pixels[1], factor[1], offset[1]);
            blue[i] = MathF.FusedMultiplyAdd(pixels[2], factor[2], offset[2]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Pick(
        Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> first, Vector128<byte> second, Vector128<byte> third) =>
        Vector128.Shuffle(a, first) | Vector128.Shuffle(b, second) | Vector128.Shuffle(c, third);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> values, float factor, float offset, float* to)
    {
        if (Avx512F.IsSupported)
        {
            var wide = Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(values));
            Vector512.FusedMultiplyAdd(wide, Vector512.Create(factor), Vector512.Create(offset)).Store(to);
            return;
        }
        var words = Vector256.WidenLower(values.ToVector256Unsafe());
        var (f, o) = (Vector256.Create(factor), Vector256.Create(offset));
        Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(Vector256.WidenLower(words).AsInt32()), f, o).Store(to);
        Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(Vector256.WidenUpper(words).AsInt32()), f, o).Store(to + 8);
    }
}
