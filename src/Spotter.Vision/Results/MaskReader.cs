using System.Buffers;
using System.Numerics.Tensors;
using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>
/// From an object's coefficients and the picture's prototypes to its mask: their weighted sum is above 0 where the
/// object is (YOLACT, arXiv 1904.02689), within its box. Prototypes are a quarter of the input's size and are scaled to
/// the picture's, linearly.
/// </summary>
internal static class MaskReader
{
    public static Mask Read(ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, (int Width, int Height) size, in Candidate found)
    {
        var box = letterbox.ToPicture(found.X1, found.Y1, found.X2, found.Y2);
        var (left, right) = Within(box.X1, box.X2, size.Width);
        var (top, bottom) = Within(box.Y1, box.Y2, size.Height);
        int width = right - left, height = bottom - top;
        var pixels = ArrayPool<byte>.Shared.Rent(Math.Max(1, width * height));
        try
        {
            var bitmap = new Bitmap(pixels.AsSpan(0, width * height), left, top, width, height);
            Fill(bitmap, model, outputs, letterbox, found);
            // The outlines leave marks in the bitmap, so the runs come first.
            var runs = bitmap.Runs(size.Width, size.Height);
            return new Mask(Outlines.Trace(bitmap, Math.Max(0.75, 0.5 / letterbox.ScaleX)), runs);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pixels);
        }
    }

    /// <summary>The pixels whose middle is within a box, and at least one.</summary>
    private static (int From, int To) Within(double from, double to, int edge)
    {
        var first = (int)Math.Clamp(Math.Ceiling(from - 0.5), 0, edge - 1);
        return (first, (int)Math.Clamp(Math.Ceiling(to - 0.5), first + 1, edge));
    }

    private static void Fill(in Bitmap bitmap, ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, in Candidate found)
    {
        var shape = model.Shapes[1];
        var areLast = model.Layout == OutputLayout.Priors;
        var (count, rows, columns) = areLast ? ((int)shape[3], (int)shape[1], (int)shape[2]) : ((int)shape[1], (int)shape[2], (int)shape[3]);
        var across = new MapAxis(bitmap.Left, bitmap.Width, letterbox.FromX, letterbox.ScaleX, letterbox.Left, (double)columns / model.Input.Width, columns);
        var down = new MapAxis(bitmap.Top, bitmap.Height, letterbox.FromY, letterbox.ScaleY, letterbox.Top, (double)rows / model.Input.Height, rows);
        int firstColumn = across.First, wide = across.Last - firstColumn + 1, firstRow = down.First, tall = down.Last - firstRow + 1;
        var logits = ArrayPool<float>.Shared.Rent((wide * tall) + wide);
        try
        {
            var sum = logits.AsSpan(0, wide * tall);
            sum.Clear();
            var prototypes = outputs[1];
            for (var y = 0; y < tall && areLast; y++)
            {
                var weights = outputs[2].Slice(found.Anchor * count, count);
                for (var x = 0; x < wide; x++)
                    sum[(y * wide) + x] = TensorPrimitives.Dot(weights, prototypes.Slice((((firstRow + y) * columns) + firstColumn + x) * count, count));
            }
            for (var m = 0; m < count && !areLast; m++)
            {
                var weight = BoxReader.Extra(model, outputs, found.Anchor, m);
                for (var y = 0; y < tall; y++)
                {
                    var row = sum.Slice(y * wide, wide);
                    TensorPrimitives.MultiplyAdd(prototypes.Slice((((m * rows) + firstRow + y) * columns) + firstColumn, wide), weight, row, row);
                }
            }
            var between = logits.AsSpan(wide * tall, wide);
            var (cells, parts) = (new int[bitmap.Width], new float[bitmap.Width]);
            for (var x = 0; x < cells.Length; x++)
            {
                (cells[x], parts[x]) = across.At(x);
                // At the far edge there is no next cell, nor a share of it.
                if (cells[x] >= across.Last && wide > 1)
                    (cells[x], parts[x]) = (across.Last - 1, 1);
                cells[x] -= firstColumn;
            }
            var step = wide > 1 ? 1 : 0;
            for (var y = 0; y < bitmap.Height; y++)
            {
                var (upper, share) = down.At(y);
                var above = sum.Slice((upper - firstRow) * wide, wide);
                var below = sum.Slice((Math.Min(upper + 1, down.Last) - firstRow) * wide, wide);
                TensorPrimitives.Lerp(above, below, share, between);
                var line = bitmap.Row(y);
                for (var x = 0; x < line.Length; x++)
                {
                    var near = between[cells[x]];
                    var far = between[cells[x] + step];
                    line[x] = near + ((far - near) * parts[x]) > 0 ? Bitmap.Inside : (byte)0;
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(logits);
        }
    }
}
