using System.Buffers;
using Spotter.Vision.Boxes;
using Spotter.Vision.Images;
using Spotter.Vision.Models;

namespace Spotter.Vision.Results;

/// <summary>From the class of every pixel to what is said about each class.</summary>
internal static class RegionBuilder
{
    /// <summary>The class that is told of, but not outlined nor drawn.</summary>
    public const string Background = "background";

    // Outlines are traced in a map of at most so many pixels along an edge: nobody sees more in them, and noise would make them endless.
    private const int FinestEdge = 1024;

    /// <summary>Most classes that are told of: those that cover least are left out.</summary>
    public const int MostRegions = 256;

    /// <summary>The classes that are there, the largest first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="labels">The class of every pixel.</param>
    /// <param name="letterbox">Where the picture lies in the input.</param>
    /// <param name="wanted">Only these labels; null for all.</param>
    /// <param name="cancel">Ends it before its next row, or class.</param>
    public static List<ClassRegion> Build(ModelMetadata model, GreyMap labels, in Letterbox letterbox, IReadOnlyList<string>? wanted, CancellationToken cancel)
    {
        var found = new Dictionary<ushort, Extent>();
        for (var y = 0; y < labels.Height; y++)
        {
            cancel.ThrowIfCancellationRequested();
            var row = labels.Row(y);
            for (var x = 0; x < row.Length;)
            {
                var run = row[x..].IndexOfAnyExcept(row[x]);
                run = run < 0 ? row.Length - x : run;
                found[row[x]] = (found.TryGetValue(row[x], out var known) ? known : Extent.None).With(x, y, run);
                x += run;
            }
        }
        var pixels = (double)labels.Width * labels.Height;
        var step = (Math.Max(labels.Width, labels.Height) + FinestEdge - 1) / FinestEdge;
        var tolerance = Math.Max(0.75, 0.5 / (letterbox.ScaleX * model.Map!.Width / model.Input.Width) / step);
        var regions = new List<ClassRegion>();
        foreach (var (id, extent) in found.OrderByDescending(f => f.Value.Pixels).ThenBy(f => f.Key))
        {
            var label = model.Label(id);
            if (wanted?.Contains(label, StringComparer.OrdinalIgnoreCase) == false)
                continue;
            if (regions.Count == MostRegions)
                break;
            cancel.ThrowIfCancellationRequested();
            var region = new ClassRegion(label, id, Math.Round(extent.Pixels / pixels, 4), new Box(extent.Left, extent.Top, extent.Right, extent.Bottom));
            regions.Add(label.Equals(Background, StringComparison.OrdinalIgnoreCase) ? region : Outlined(region, labels, step, tolerance));
        }
        return regions;
    }

    private static ClassRegion Outlined(ClassRegion region, GreyMap labels, int step, double tolerance)
    {
        int left = (int)region.Box.X1 / step, top = (int)region.Box.Y1 / step;
        int width = (((int)region.Box.X2 + step - 1) / step) - left, height = (((int)region.Box.Y2 + step - 1) / step) - top;
        var pixels = ArrayPool<byte>.Shared.Rent(width * height);
        try
        {
            var bitmap = new Bitmap(pixels.AsSpan(0, width * height), left, top, width, height);
            for (var y = 0; y < height; y++)
            {
                var row = labels.Row(Middle(top + y, labels.Height));
                var line = bitmap.Row(y);
                for (var x = 0; x < width; x++)
                    line[x] = row[Middle(left + x, labels.Width)] == region.ClassId ? Bitmap.Inside : (byte)0;
            }
            var (outer, holes) = Outlines.TraceAll(bitmap, tolerance);
            return region with { Polygons = Scaled(outer), Holes = Scaled(holes) };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pixels);
        }

        int Middle(int cell, int edge) => Math.Min((cell * step) + (step / 2), edge - 1);

        IReadOnlyList<IReadOnlyList<double>> Scaled(IReadOnlyList<IReadOnlyList<double>> outlines) => step == 1 ? outlines
            : [.. outlines.Select(o => (IReadOnlyList<double>)[.. o.Select((number, i) => Math.Min(number * step, i % 2 == 0 ? labels.Width : labels.Height))])];
    }

    /// <summary>How many pixels, and the rectangle around them; right and bottom are not part of it.</summary>
    private readonly record struct Extent(long Pixels, int Left, int Top, int Right, int Bottom)
    {
        public static Extent None { get; } = new(0, int.MaxValue, int.MaxValue, 0, 0);

        public Extent With(int x, int y, int run) =>
            new(Pixels + run, Math.Min(Left, x), Math.Min(Top, y), Math.Max(Right, x + run), Math.Max(Bottom, y + 1));
    }
}
