using NetVips;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Filters;

/// <summary>Puts pictures side by side, or one above the other.</summary>
internal static unsafe class Concatenation
{
    /// <summary>
    /// In the order that the touching edges tell. Pictures of another size are scaled, in shape, until their touching
    /// edges are as long as the first one's. They are decoded one after the other, so that only one of them and what is
    /// made of all are held.
    /// </summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidRequest"/>: there is only one, or they differ and must not be scaled;
    /// <see cref="ErrorCodes.TooManyPixels"/>: together they are too large; and what reading them can be refused for.
    /// </exception>
    public static Raster Join(IReadOnlyList<ReadOnlyMemory<byte>> pictures, FilterRequest request, ImageLimits limits)
    {
        var sizes = Plan(pictures, request, limits);
        var vertical = request.IsVertical;
        var (width, height) = Together(sizes, vertical);
        var grey = request.Mode == FilterMode.Grey;
        var result = new Raster((int)width, (int)height, grey ? 1 : 3);
        try
        {
            var at = 0;
            // The first lies at the beginning, unless its left or its top edge is the one that is touched.
            var order = Enumerable.Range(0, pictures.Count);
            if (request.Sides is ConcatSides.LeftToRight or ConcatSides.TopToBottom)
                order = order.Reverse();
            foreach (var i in order)
            {
                using var picture = Raster.Decode(pictures[i], grey, limits);
                if ((picture.Width, picture.Height) == sizes[i])
                    Copy(picture, result, at, vertical);
                else
                    Scale(picture, sizes[i], result, at, vertical);
                at += vertical ? sizes[i].Height : sizes[i].Width;
            }
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>The size that each picture is to have, by their headers: what is too large together is neither decoded nor scaled.</summary>
    /// <exception cref="SpotterException">As <see cref="Join"/>.</exception>
    public static IReadOnlyList<(int Width, int Height)> Plan(IReadOnlyList<ReadOnlyMemory<byte>> pictures, FilterRequest request, ImageLimits limits)
    {
        if (pictures.Count < 2)
            throw new SpotterException(ErrorCodes.InvalidRequest, FilterCaption.LoneConcat);
        var sizes = SizesOf(pictures, limits);
        var vertical = request.IsVertical;
        var edge = vertical ? sizes[0].Width : sizes[0].Height;
        if (request.Strict && sizes.Exists(s => (vertical ? s.Width : s.Height) != edge))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"Images are incompatible for concatenation due to difference in {(vertical ? "width" : "height")}.");

        sizes = sizes.ConvertAll(s => Fit(s, edge, vertical));
        var (width, height) = Together(sizes, vertical);
        return width <= limits.MaxEdge && height <= limits.MaxEdge && width * height <= limits.MaxPixels ? sizes : throw new SpotterException(
            ErrorCodes.TooManyPixels, $"Together the pictures would have {width} x {height} pixels, which is more than is made; send fewer or smaller ones.");
    }

    private static (long Width, long Height) Together(IReadOnlyList<(int Width, int Height)> sizes, bool vertical) => vertical
        ? (sizes[0].Width, sizes.Sum(s => (long)s.Height))
        : (sizes.Sum(s => (long)s.Width), sizes[0].Height);

    private static List<(int Width, int Height)> SizesOf(IReadOnlyList<ReadOnlyMemory<byte>> pictures, ImageLimits limits)
    {
        long pixels = 0;
        var sizes = new List<(int Width, int Height)>();
        foreach (var encoded in pictures)
        {
            using var picture = Picture.Open(encoded, limits);
            sizes.Add((picture.Width, picture.Height));
            pixels += (long)picture.Width * picture.Height;
        }
        return pixels <= 2 * limits.MaxPixels ? sizes : throw new SpotterException(
            ErrorCodes.TooManyPixels, $"The {pictures.Count} pictures have more than {2 * limits.MaxPixels} pixels together; send fewer or smaller ones.");
    }

    private static (int Width, int Height) Fit((int Width, int Height) picture, int edge, bool vertical)
    {
        var own = vertical ? picture.Width : picture.Height;
        if (own == edge)
            return picture;
        var other = (int)Math.Clamp(Math.Round((double)(vertical ? picture.Height : picture.Width) * edge / own), 1, int.MaxValue);
        return vertical ? (edge, other) : (other, edge);
    }

    private static void Copy(Raster picture, Raster into, int at, bool vertical)
    {
        for (var y = 0; y < picture.Height; y++)
            picture.Row(y).CopyTo(Place(into, at, y, vertical));
    }

    private static void Scale(Raster picture, (int Width, int Height) size, Raster into, int at, bool vertical)
    {
        try
        {
            using var image = Vips.Over(picture.Pixels, picture.Width, picture.Height, picture.Bands);
            using var scaled = image.ThumbnailImage(size.Width, size.Height, Enums.Size.Force);
            using var rows = new VipsRows(scaled);
            for (var y = 0; y < size.Height; y++)
            {
                using var strip = rows.Read(y, 1);
                strip.Row(0).CopyTo(Place(into, at, y, vertical));
            }
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"A picture could not be scaled ({Vips.Reason(e)}); send pictures of the same size.", e);
        }
    }

    private static Span<byte> Place(Raster into, int at, int y, bool vertical) =>
        vertical ? into.Row(at + y) : into.Row(y)[(at * into.Bands)..];
}
