using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Spotter.Vision.Images;
using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>
/// Scales a picture's rows into a model's input tensor, three planes of floats, and turns them upright on the way: one
/// pass over the pixels, no picture in between.
/// </summary>
internal sealed unsafe class InputWriter : IDisposable
{
    private readonly NativeBuffer windowBuffer = new();
    private readonly NativeBuffer rowBuffer = new();
    private (int Source, double Extent, int Target, ResampleAxis Axis) columns, lines;

    /// <summary>Fills the input from a picture that is decoded on the way.</summary>
    /// <exception cref="Core.SpotterException">The picture turned out to be damaged.</exception>
    public void Write(Picture picture, in Letterbox letterbox, DetectorModel model, Span<float> input)
    {
        var (targetWidth, targetHeight) = picture.Orientation.Turn(letterbox.Width, letterbox.Height);
        var (fullWidth, fullHeight) = picture.Orientation.Turn(picture.Width, picture.Height);
        var across = Axis(ref columns, picture.StoredWidth, fullWidth / (double)picture.Shrink, targetWidth);
        var down = Axis(ref lines, picture.StoredHeight, fullHeight / (double)picture.Shrink, targetHeight);
        using var rows = new RowWindow(picture, down.Taps, windowBuffer);
        Write(rows, across, down, picture.Orientation, letterbox, model, input);
        windowBuffer.Trim();
    }

    /// <summary>Fills the input from a picture that is decoded already.</summary>
    public void Write(Canvas canvas, in Letterbox letterbox, DetectorModel model, Span<float> input)
    {
        var across = Axis(ref columns, canvas.Width, canvas.Width, letterbox.Width);
        var down = Axis(ref lines, canvas.Height, canvas.Height, letterbox.Height);
        Write(canvas, across, down, new Orientation(1), letterbox, model, input);
    }

    public void Dispose()
    {
        windowBuffer.Dispose();
        rowBuffer.Dispose();
    }

    private static ResampleAxis Axis(ref (int Source, double Extent, int Target, ResampleAxis Axis) last, int source, double extent, int target)
    {
        if (last.Axis is null || last.Source != source || last.Extent != extent || last.Target != target)
            last = (source, extent, target, ResampleAxis.Create(source, extent, target));
        return last.Axis;
    }

    private void Write(
        IPixelRows rows, ResampleAxis across, ResampleAxis down, Orientation turn, in Letterbox letterbox, DetectorModel model, Span<float> input)
    {
        int width = model.InputWidth, height = model.InputHeight, plane = width * height;
        FillAround(input, letterbox, width, height, Letterbox.Fill * model.PixelScale);

        int columnCount = across.First.Length, lineCount = down.First.Length;
        var (origin, stepX, stepY) = turn.Place(columnCount, lineCount, width, 1);
        origin += (letterbox.Top * width) + letterbox.Left;

        var samples = rows.Width * rows.Bands;
        var blended = (float*)rowBuffer.Ensure((long)(samples + 16) * sizeof(float));
        var taps = stackalloc byte*[down.Taps];
        fixed (float* target = input)
        {
            var red = target + (model.BgrInput ? 2 * plane : 0);
            var green = target + plane;
            var blue = target + (model.BgrInput ? 0 : 2 * plane);
            for (var line = 0; line < lineCount; line++)
            {
                var weights = down.WeightsOf(line);
                for (var k = 0; k < weights.Length; k++)
                    taps[k] = weights[k] == 0 ? null : rows.Row(down.First[line] + k);
                Blend(taps, weights, model.PixelScale, blended, samples);
                var at = origin + (line * stepY);
                if (rows.Bands >= 3)
                    SpreadColour(blended, rows.Bands, across, red + at, green + at, blue + at, stepX);
                else
                    SpreadGrey(blended, rows.Bands, across, red + at, green + at, blue + at, stepX);
            }
            // Rows below the last one that counts are read too: a file that is damaged there is damaged.
            _ = rows.Row(rows.Height - 1);
        }
    }

    private static void FillAround(Span<float> input, in Letterbox letterbox, int width, int height, float value)
    {
        for (var channel = 0; channel < 3; channel++)
        {
            var plane = input.Slice(channel * width * height, width * height);
            plane[..(letterbox.Top * width)].Fill(value);
            plane[((letterbox.Top + letterbox.Height) * width)..].Fill(value);
            if (letterbox.Width == width)
                continue;
            for (var y = letterbox.Top; y < letterbox.Top + letterbox.Height; y++)
            {
                plane.Slice(y * width, letterbox.Left).Fill(value);
                plane[((y * width) + letterbox.Left + letterbox.Width)..((y + 1) * width)].Fill(value);
            }
        }
    }

    /// <summary>One row as the weighted sum of some; reads and writes up to 15 samples past the end.</summary>
    private static void Blend(byte** rows, ReadOnlySpan<float> weights, float scale, float* blended, int samples)
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
                    sum = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(wide), Vector512.Create(weights[k] * scale), sum);
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
                var weight = Vector256.Create(weights[k] * scale);
                low = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.WidenLower(words).AsInt32()), weight, low);
                high = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.WidenUpper(words).AsInt32()), weight, high);
            }
            low.Store(blended + i);
            high.Store(blended + i + 8);
        }
    }

    private static void SpreadColour(float* row, int bands, ResampleAxis across, float* red, float* green, float* blue, int step)
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
                red[at] = sum[0];
                green[at] = sum[1];
                blue[at] = sum[2];
            }
        }
    }

    private static void SpreadGrey(float* row, int bands, ResampleAxis across, float* red, float* green, float* blue, int step)
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
            red[at] = green[at] = blue[at] = sum;
        }
    }
}
