using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>
/// From a map of values to a grey value for every pixel of the picture, scaled linearly: of depth, whose numbers have no unit, the least is 0
/// and the greatest 65535; of what stands out, 0 stays 0 and 1 becomes 255.
/// </summary>
internal static class ValueMapReader
{
    /// <summary>Fills a map, and gives the least and the greatest value where the picture lies.</summary>
    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of the picture.</param>
    /// <param name="letterbox">Where the picture lies in the input.</param>
    /// <param name="into">Filled with grey values.</param>
    public static (float Least, float Greatest) Read(ModelMetadata model, in ModelOutputs outputs, in Letterbox letterbox, GreyMap into)
    {
        var map = model.Map!;
        var numbers = outputs[0];
        var (across, down) = LabelMapReader.AxesOf(model, letterbox, into.Width, into.Height);
        var (least, greatest) = (float.PositiveInfinity, float.NegativeInfinity);
        for (var y = down.First; y <= down.Last; y++)
        {
            foreach (var number in numbers.Slice((y * map.Width) + across.First, across.Last - across.First + 1))
                (least, greatest) = (Math.Min(least, number), Math.Max(greatest, number));
        }
        var range = (double)greatest - least;
        var (start, factor) = model.Info.Engine == VisionTasks.Saliency ? (0, 255) : (least, range > 0 ? ushort.MaxValue / range : 0);
        var most = model.Info.Engine == VisionTasks.Saliency ? 255 : ushort.MaxValue;
        for (var y = 0; y < into.Height; y++)
        {
            var (upper, below) = down.At(y);
            int above = upper * map.Width, under = Math.Min(upper + 1, map.Height - 1) * map.Width;
            var to = into.Row(y);
            for (var x = 0; x < to.Length; x++)
            {
                var (left, beyond) = across.At(x);
                var right = Math.Min(left + 1, map.Width - 1);
                var value = LabelMapReader.Between(numbers, above + left, above + right, under + left, under + right, beyond, below);
                to[x] = (ushort)Math.Clamp(Math.Round((value - start) * factor), 0, most);
            }
        }
        return (least, greatest);
    }
}
