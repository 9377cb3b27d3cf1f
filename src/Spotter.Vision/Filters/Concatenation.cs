using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Filters;

/// <summary>Puts pictures side by side, or one above the other.</summary>
internal static unsafe class Concatenation
{
    /// <summary>
    /// In the order that the touching edges tell. Pictures of another size are scaled, in shape, until their touching
    /// edges are as long as the first one's.
    /// </summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidRequest"/>: there is only one, or they differ and must not be scaled;
    /// <see cref="ErrorCodes.TooManyPixels"/>: together they are too large.
    /// </exception>
    public static Raster Join(IReadOnlyList<Raster> pictures, FilterRequest request, ImageLimits limits)
    {
        if (pictures.Count < 2)
            throw new SpotterException(ErrorCodes.InvalidRequest, FilterCaption.LoneConcat);
        var first = pictures[0];
        var vertical = request.IsVertical;
        var edge = vertical ? first.Width : first.Height;
        if (request.Strict && pictures.Any(p => (vertical ? p.Width : p.Height) != edge))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"Images are incompatible for concatenation due to difference in {(vertical ? "width" : "height")}.");

        // Sizes before pixels: what is too large is never scaled.
        var sizes = pictures.Select(p => Fit(p, edge, vertical)).ToList();
        long length = sizes.Sum(s => vertical ? (long)s.Height : s.Width);
        var (width, height) = vertical ? (edge, length) : (length, (long)edge);
        if (width > limits.MaxEdge || height > limits.MaxEdge || width * height > limits.MaxPixels)
        {
            throw new SpotterException(ErrorCodes.TooManyPixels,
                $"Together the pictures would have {width} x {height} pixels, which is more than is made; send fewer or smaller ones.");
        }
        var result = new Raster((int)width, (int)height, first.Bands);
        var at = 0;
        // The first lies at the beginning, unless its left or its top edge is the one that is touched.
        var order = Enumerable.Range(0, pictures.Count);
        if (request.Sides is ConcatSides.LeftToRight or ConcatSides.TopToBottom)
            order = order.Reverse();
        foreach (var i in order)
        {
            var (w, h) = sizes[i];
            using var scaled = (w, h) == (pictures[i].Width, pictures[i].Height) ? null : Scale(pictures[i], w, h);
            var picture = scaled ?? pictures[i];
            for (var y = 0; y < h; y++)
                picture.Row(y).CopyTo(vertical ? result.Row(at + y) : result.Row(y)[(at * result.Bands)..]);
            at += vertical ? h : w;
        }
        return result;
    }

    private static (int Width, int Height) Fit(Raster picture, int edge, bool vertical)
    {
        var own = vertical ? picture.Width : picture.Height;
        if (own == edge)
            return (picture.Width, picture.Height);
        var other = (int)Math.Clamp(Math.Round((double)(vertical ? picture.Height : picture.Width) * edge / own), 1, int.MaxValue);
        return vertical ? (edge, other) : (other, edge);
    }

    private static Raster Scale(Raster picture, int width, int height)
    {
        try
        {
            using var image = VipsImage.Over(picture.Pixels, picture.Width, picture.Height, picture.Bands);
            using var operation = new VipsOperation("thumbnail_image");
            using var scaled = operation.Set("in", image).Set("width", width).Set("height", height).Set("size", "force").Run().Image();
            using var rows = new VipsRows(scaled);
            var result = new Raster(width, height, picture.Bands);
            for (var y = 0; y < height; y++)
            {
                using var strip = rows.Read(y, 1);
                strip.Row(0).CopyTo(result.Row(y));
            }
            return result;
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"A picture could not be scaled ({e.Message}); send pictures of the same size.", e);
        }
    }
}
