using System.Buffers;
using Spotter.Core;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>
/// From a map of scores, or of classes, to the class of every pixel of the picture. Scores are scaled to the picture's size linearly, and
/// the highest wins; classes are those of the nearest cell.
/// </summary>
internal static class LabelMapReader
{
    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of the picture.</param>
    /// <param name="letterbox">Where the picture lies in the input.</param>
    /// <param name="into">Filled with the class of every pixel.</param>
    /// <param name="cancel">Ends it before its next row.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.ModelOutputInvalid"/>: a class that can't be one.</exception>
    public static void Read(ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, GreyMap into, CancellationToken cancel)
    {
        var map = model.Map!;
        var numbers = outputs[0];
        var (across, down) = AxesOf(model, letterbox, into.Width, into.Height);
        if (map.IsIds)
            Nearest(model, numbers, across, down, into, cancel);
        else
            Highest(map, numbers, across, down, into, cancel);
    }

    /// <summary>From pixels of the picture to cells of the model's map.</summary>
    public static (MapAxis Across, MapAxis Down) AxesOf(ModelMetadata model, in Letterbox letterbox, int width, int height)
    {
        var map = model.Map!;
        return (new MapAxis(0, width, letterbox.FromX, letterbox.ScaleX, letterbox.Left, (double)map.Width / model.Input.Width, map.Width),
            new MapAxis(0, height, letterbox.FromY, letterbox.ScaleY, letterbox.Top, (double)map.Height / model.Input.Height, map.Height));
    }

    private static void Nearest(ModelMetadata model, ReadOnlySpan<float> numbers, in MapAxis across, in MapAxis down, GreyMap into, CancellationToken cancel)
    {
        foreach (var number in numbers)
        {
            if (number is not (>= 0 and < MapRules.MostClasses))
                throw new SpotterException(ErrorCodes.ModelOutputInvalid, $"{model.Info.Id} gave {number} as a class, which goes from 0 to {MapRules.MostClasses - 1}; export the model again.");
        }
        for (var y = 0; y < into.Height; y++)
        {
            cancel.ThrowIfCancellationRequested();
            var row = numbers.Slice(Cell(down, y) * model.Map!.Width, model.Map.Width);
            var to = into.Row(y);
            for (var x = 0; x < to.Length; x++)
                to[x] = (ushort)row[Cell(across, x)];
        }

        static int Cell(in MapAxis axis, int pixel)
        {
            var (cell, share) = axis.At(pixel);
            return share >= 0.5f ? cell + 1 : cell;
        }
    }

    private static void Highest(MapSpec map, ReadOnlySpan<float> numbers, in MapAxis across, in MapAxis down, GreyMap into, CancellationToken cancel)
    {
        var cells = map.Width * map.Height;
        var best = ArrayPool<ushort>.Shared.Rent(cells);
        try
        {
            for (var cell = 0; cell < cells; cell++)
            {
                if (cell % map.Width == 0)
                    cancel.ThrowIfCancellationRequested();
                best[cell] = ClassAt(map, numbers, cell, cell, cell, cell, 0, 0);
            }
            for (var y = 0; y < into.Height; y++)
            {
                cancel.ThrowIfCancellationRequested();
                var (upper, below) = down.At(y);
                int above = upper * map.Width, under = Math.Min(upper + 1, map.Height - 1) * map.Width;
                var to = into.Row(y);
                for (var x = 0; x < to.Length; x++)
                {
                    var (left, beyond) = across.At(x);
                    var right = Math.Min(left + 1, map.Width - 1);
                    var first = best[above + left];
                    // What wins in all four cells wins between them, too.
                    to[x] = first == best[above + right] && first == best[under + left] && first == best[under + right]
                        ? first
                        : ClassAt(map, numbers, above + left, above + right, under + left, under + right, beyond, below);
                }
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(best);
        }
    }

    /// <summary>The class with the highest score between four cells; of one score, whether it is the foreground's.</summary>
    private static ushort ClassAt(MapSpec map, ReadOnlySpan<float> numbers, int a, int b, int c, int d, float beyond, float below)
    {
        var (cell, channel) = map.ChannelsLast ? (map.Channels, 1) : (1, map.Width * map.Height);
        if (map.Channels == 1)
            return Between(numbers, a, b, c, d, beyond, below) > map.Threshold ? (ushort)1 : (ushort)0;
        var (best, most) = (0, double.NegativeInfinity);
        for (var i = 0; i < map.Channels; i++)
        {
            var offset = i * channel;
            var score = Between(numbers, (a * cell) + offset, (b * cell) + offset, (c * cell) + offset, (d * cell) + offset, beyond, below);
            if (score > most)
                (best, most) = (i, score);
        }
        return (ushort)best;
    }

    /// <summary>The value between four numbers, so far on to the right and so far down.</summary>
    public static double Between(ReadOnlySpan<float> numbers, int a, int b, int c, int d, float beyond, float below)
    {
        // A difference of two floats can be too large for one.
        double above = numbers[a] + (((double)numbers[b] - numbers[a]) * beyond), under = numbers[c] + (((double)numbers[d] - numbers[c]) * beyond);
        return above + ((under - above) * below);
    }
}
