using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Spotter.Vision.Images;
using Spotter.Vision.Models;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Boxes;

/// <summary>
/// Scales a picture's rows into a model's input tensor, three planes of floats, and turns them upright on the way: one
/// pass over the pixels, no picture in between.
/// </summary>
internal sealed unsafe class InputWriter : IDisposable
{
    private readonly NativeBuffer windowBuffer = new();
    private readonly NativeBuffer rowBuffer = new();
    private readonly NativeBuffer planeBuffer = new();
    private (AxisPlan Plan, ResampleAxis Axis) columns, lines;

    /// <summary>Fills the input from a picture that is decoded on the way.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="letterbox">Where it goes.</param>
    /// <param name="input">What the model takes.</param>
    /// <param name="tensor">The bytes of the numbers of one picture.</param>
    /// <exception cref="Core.SpotterException">The picture turned out to be damaged.</exception>
    public void Write(Picture picture, in Letterbox letterbox, InputSpec input, Span<byte> tensor)
    {
        var turn = picture.Orientation;
        var (fullWidth, fullHeight) = turn.Turn(picture.Width, picture.Height);
        var (upX, upY) = (Seen(letterbox.Left, letterbox.Width, input.Width), Seen(letterbox.Top, letterbox.Height, input.Height));
        var (x, y) = turn.SwapsAxes ? (upY, upX) : (upX, upY);
        var (targetWidth, targetHeight) = turn.Turn(letterbox.Width, letterbox.Height);
        var across = Axis(ref columns, new AxisPlan(
            picture.StoredWidth, fullWidth / (double)picture.Shrink, targetWidth, turn.FlipsX ? targetWidth - x.Start - x.Count : x.Start, x.Count, 0));
        var down = Axis(ref lines, new AxisPlan(
            picture.StoredHeight, fullHeight / (double)picture.Shrink, targetHeight, turn.FlipsY ? targetHeight - y.Start - y.Count : y.Start, y.Count, 0));
        using var rows = new RowWindow(picture, down.Taps, windowBuffer);
        Write(rows, across, down, turn, letterbox, input, tensor);
        windowBuffer.Trim();
    }

    /// <summary>Fills the input from a part of a picture that is decoded already.</summary>
    public void Write(Canvas canvas, Region part, in Letterbox letterbox, InputSpec input, Span<byte> tensor)
    {
        var (x, y) = (Seen(letterbox.Left, letterbox.Width, input.Width), Seen(letterbox.Top, letterbox.Height, input.Height));
        var across = Axis(ref columns, new AxisPlan(part.Width, part.Width, letterbox.Width, x.Start, x.Count, part.X));
        var down = Axis(ref lines, new AxisPlan(part.Height, part.Height, letterbox.Height, y.Start, y.Count, part.Y));
        Write(canvas, across, down, new Orientation(1), letterbox, input, tensor);
    }

    public void Dispose()
    {
        windowBuffer.Dispose();
        rowBuffer.Dispose();
        planeBuffer.Dispose();
    }

    /// <summary>Which pixels of the scaled picture lie within the input.</summary>
    private static (int Start, int Count) Seen(int from, int length, int edge) => (Math.Max(0, -from), Math.Min(length, edge - Math.Max(0, from)));

    private static ResampleAxis Axis(ref (AxisPlan Plan, ResampleAxis Axis) last, AxisPlan plan)
    {
        if (last.Axis is null || last.Plan != plan)
            last = (plan, ResampleAxis.Create(plan.Source, plan.Extent, plan.Target, plan.Start, plan.Count, plan.Offset));
        return last.Axis;
    }

    private void Write(
        IPixelRows rows, ResampleAxis across, ResampleAxis down, Orientation turn, in Letterbox letterbox, InputSpec input, Span<byte> tensor)
    {
        if (input.IsPlanes)
        {
            WritePlanes(rows, across, down, turn, letterbox, input, MemoryMarshal.Cast<byte, float>(tensor));
            return;
        }
        var numbers = 3 * input.Width * input.Height;
        var planes = new Span<float>(planeBuffer.Ensure((long)numbers * sizeof(float)), numbers);
        WritePlanes(rows, across, down, turn, letterbox, input, planes);
        if (input.Channels == 1)
        {
            ToGrey(planes);
            planes = planes[..(numbers / 3)];
        }
        switch (input.Type)
        {
            // One plane is its own pixels.
            case OrtPort.Float32 when input.Channels == 1:
                planes.CopyTo(MemoryMarshal.Cast<byte, float>(tensor));
                break;
            case OrtPort.Float32:
                Interleave(planes, MemoryMarshal.Cast<byte, float>(tensor));
                break;
            case OrtPort.Float16 when input is { ChannelsLast: true, Channels: 3 }:
                Interleave(planes, MemoryMarshal.Cast<byte, Half>(tensor));
                break;
            case OrtPort.Float16:
                TensorPrimitives.ConvertToHalf(planes, MemoryMarshal.Cast<byte, Half>(tensor));
                break;
            case OrtPort.UInt8 when input is { ChannelsLast: true, Channels: 3 }:
                Round(planes);
                Interleave(planes, tensor);
                break;
            case OrtPort.Int32 when input is { ChannelsLast: true, Channels: 3 }:
                Round(planes);
                Interleave(planes, MemoryMarshal.Cast<byte, int>(tensor));
                break;
            case OrtPort.Int32:
                Round(planes);
                TensorPrimitives.ConvertSaturating(planes, MemoryMarshal.Cast<byte, int>(tensor));
                break;
            default:
                Round(planes);
                TensorPrimitives.ConvertSaturating<float, byte>(planes, tensor);
                break;
        }
    }

    /// <summary>Makes the first of three planes the brightness of all, as television has it (ITU-R BT.601).</summary>
    private static void ToGrey(Span<float> planes)
    {
        var plane = planes.Length / 3;
        for (var i = 0; i < plane; i++)
            planes[i] = (0.299f * planes[i]) + (0.587f * planes[plane + i]) + (0.114f * planes[(2 * plane) + i]);
    }

    private static void Round(Span<float> numbers) => TensorPrimitives.Round(numbers, numbers);

    /// <summary>From planes to pixels.</summary>
    private static void Interleave<T>(ReadOnlySpan<float> planes, Span<T> pixels)
        where T : System.Numerics.INumberBase<T>
    {
        var plane = planes.Length / 3;
        for (int i = 0, at = 0; i < plane; i++, at += 3)
        {
            pixels[at] = T.CreateSaturating(planes[i]);
            pixels[at + 1] = T.CreateSaturating(planes[plane + i]);
            pixels[at + 2] = T.CreateSaturating(planes[(2 * plane) + i]);
        }
    }

    private void WritePlanes(
        IPixelRows rows, ResampleAxis across, ResampleAxis down, Orientation turn, in Letterbox letterbox, InputSpec input, Span<float> planes)
    {
        int width = input.Width, height = input.Height, plane = width * height;
        FillAround(planes, letterbox, input);

        int columnCount = across.First.Length, lineCount = down.First.Length;
        var (origin, stepX, stepY) = turn.Place(columnCount, lineCount, width, 1);
        origin += (Math.Max(0, letterbox.Top) * width) + Math.Max(0, letterbox.Left);

        var samples = rows.Width * rows.Bands;
        // Only what is looked at is blended: of a part of a picture its own columns.
        var from = across.First[0] * rows.Bands;
        var to = Math.Min(samples, (across.First[^1] + across.Taps) * rows.Bands);
        var blended = (float*)rowBuffer.Ensure((long)(samples + 16) * sizeof(float));
        var taps = stackalloc byte*[down.Taps];
        var (red, green, blue) = input.Bgr ? (2, 1, 0) : (0, 1, 2);
        var factor = Vector128.Create(input.Factor(red), input.Factor(green), input.Factor(blue), 0);
        var offset = Vector128.Create(input.Offset(red), input.Offset(green), input.Offset(blue), 0);
        var plain = across.IsIdentity && down.IsIdentity && rows.Bands == 3 && stepX == 1;
        fixed (float* target = planes)
        {
            for (var line = 0; line < lineCount; line++)
            {
                var at = target + origin + (line * stepY);
                if (plain)
                {
                    // Of two taps one has all the weight, and at the edges it is the second.
                    var row = rows.Row(down.First[line] + (down.WeightsOf(line)[0] == 0 ? 1 : 0));
                    var start = across.First[0] + (across.WeightsOf(0)[0] == 0 ? 1 : 0);
                    PlaneFill.Row(row + (start * 3), columnCount, factor, offset, at + (red * plane), at + (green * plane), at + (blue * plane));
                    continue;
                }
                var weights = down.WeightsOf(line);
                for (var k = 0; k < weights.Length; k++)
                    taps[k] = weights[k] == 0 ? null : rows.Row(down.First[line] + k) + from;
                Blend(taps, weights, blended + from, to - from);
                if (rows.Bands >= 3)
                    SpreadColour(blended, rows.Bands, across, factor, offset, at + (red * plane), at + (green * plane), at + (blue * plane), stepX);
                else
                    SpreadGrey(blended, rows.Bands, across, factor, offset, at + (red * plane), at + (green * plane), at + (blue * plane), stepX);
            }
            // Rows below the last one that counts are read too: a file that is damaged there is damaged.
            _ = rows.Row(rows.Height - 1);
        }
    }

    private static void FillAround(Span<float> planes, in Letterbox letterbox, InputSpec input)
    {
        int width = input.Width, height = input.Height;
        int left = Math.Max(0, letterbox.Left), right = Math.Min(width, letterbox.Left + letterbox.Width);
        int top = Math.Max(0, letterbox.Top), bottom = Math.Min(height, letterbox.Top + letterbox.Height);
        for (var channel = 0; channel < 3; channel++)
        {
            var value = (input.Fill * input.Factor(channel)) + input.Offset(channel);
            var plane = planes.Slice(channel * width * height, width * height);
            plane[..(top * width)].Fill(value);
            plane[(bottom * width)..].Fill(value);
            if (right - left == width)
                continue;
            for (var y = top; y < bottom; y++)
            {
                plane.Slice(y * width, left).Fill(value);
                plane[((y * width) + right)..((y + 1) * width)].Fill(value);
            }
        }
    }

    /// <summary>One row as the weighted sum of some; reads and writes up to 15 samples past the end.</summary>
    private static void Blend(byte** rows, ReadOnlySpan<float> weights, float* blended, int samples)
    {
        for (var i = 0; i < samples; i += 16)
        {
            if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
            {
                var sum = Vector512<float>.Zero;
                for (var k = 0; k < weights.Length; k++)
                {
                    if (rows[k] == null)
                        continue;
                    var wide = Avx512F.ConvertToVector512Int32(Vector128.Load(rows[k] + i));
                    sum = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(wide), Vector512.Create(weights[k]), sum);
                }
                sum.Store(blended + i);
                continue;
            }
            Vector256<float> low = default, high = default;
            for (var k = 0; k < weights.Length; k++)
            {
                if (rows[k] == null)
                    continue;
                var words = Vector256.WidenLower(Vector128.Load(rows[k] + i).ToVector256Unsafe());
                var weight = Vector256.Create(weights[k]);
                low = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.WidenLower(words).AsInt32()), weight, low);
                high = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.WidenUpper(words).AsInt32()), weight, high);
            }
            low.Store(blended + i);
            high.Store(blended + i + 8);
        }
    }

    private static void SpreadColour(float* row, int bands, ResampleAxis across, Vector128<float> factor, Vector128<float> offset, float* red, float* green, float* blue, int step)
    {
        var taps = across.Taps;
        fixed (int* first = across.First)
        fixed (float* weights = across.Weights)
        {
            var weight = weights;
            nint at = 0;
            for (var column = 0; column < across.First.Length; column++, weight += taps, at += step)
            {
                var from = row + (first[column] * bands);
                var sum = Vector128<float>.Zero;
                for (var k = 0; k < taps; k++, from += bands)
                    sum = Vector128.MultiplyAddEstimate(Vector128.Load(from), Vector128.Create(weight[k]), sum);
                sum = Vector128.MultiplyAddEstimate(sum, factor, offset);
                red[at] = sum[0];
                green[at] = sum[1];
                blue[at] = sum[2];
            }
        }
    }

    private static void SpreadGrey(float* row, int bands, ResampleAxis across, Vector128<float> factor, Vector128<float> offset, float* red, float* green, float* blue, int step)
    {
        nint at = 0;
        for (var column = 0; column < across.First.Length; column++, at += step)
        {
            var from = row + (across.First[column] * bands);
            float sum = 0;
            foreach (var weight in across.WeightsOf(column))
            {
                sum += *from * weight;
                from += bands;
            }
            red[at] = (sum * factor[0]) + offset[0];
            green[at] = (sum * factor[1]) + offset[1];
            blue[at] = (sum * factor[2]) + offset[2];
        }
    }

    /// <summary>What a <see cref="ResampleAxis"/> is made from.</summary>
    private readonly record struct AxisPlan(int Source, double Extent, int Target, int Start, int Count, int Offset);
}
