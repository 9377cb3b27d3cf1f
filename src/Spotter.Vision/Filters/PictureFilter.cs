using System.Diagnostics;
using NetVips;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Images;
using Spotter.Vision.LibVips;
using Spotter.Vision.Results;

namespace Spotter.Vision.Filters;

/// <summary>The engine <c>filter</c>: makes another picture of one, or of several. Needs no model.</summary>
public static unsafe class PictureFilter
{
    /// <summary>Filters pictures; the answer is a PNG, so that no value in it is lost, upright and without metadata.</summary>
    /// <param name="request">Which filter.</param>
    /// <param name="pictures">Encoded pictures: several for <see cref="FilterKind.Concat"/>, else one.</param>
    /// <param name="limits">How large a picture may be, those that are read and the one that is made.</param>
    /// <param name="random">Where salt and pepper fall, unless the request brings a seed.</param>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidRequest"/> for what does not fit the pictures, and what reading them can be refused for.
    /// </exception>
    public static InferenceResult Run(FilterRequest request, IReadOnlyList<ReadOnlyMemory<byte>> pictures, ImageLimits limits, RandomSource random)
    {
        var clock = new StageClock(Stopwatch.GetTimestamp());
        using var made = Make(request, pictures, limits, random, clock);
        if (request is { Stretch: true, Mode: FilterMode.Grey })
            PixelFilters.Stretch(made);
        clock.Found();
        var encoded = Encode(made);
        clock.Encoded();
        return new InferenceResult(new VisionResult { Width = made.Width, Height = made.Height }, clock.Read(encoded: true), encoded);
    }

    /// <summary>Bytes that filtering takes at most at one time, by what the pictures' headers say; 0 for what is refused by them anyway.</summary>
    /// <param name="request">Which filter.</param>
    /// <param name="pictures">Encoded pictures.</param>
    /// <param name="limits">How large a picture may be.</param>
    public static long MemoryOf(FilterRequest request, IReadOnlyList<ReadOnlyMemory<byte>> pictures, ImageLimits limits)
    {
        // Decoded: what is read and what is made. Encoded: what is made, and a PNG that may be no smaller and grows by doubling.
        const int bytesPerPixel = 3, encodedBytesPerPixel = 2 * bytesPerPixel;
        var reads = pictures.Select(picture => PictureMemory.Read(picture, limits)).ToList();
        var made = request.Kind == FilterKind.Concat ? Joined() : reads[0].Pixels;
        return Math.Max(
            (bytesPerPixel * (made + reads.Max(read => read.Pixels))) + reads.Max(read => read.Decoder),
            (bytesPerPixel + encodedBytesPerPixel) * made);

        long Joined()
        {
            try
            {
                return Concatenation.Plan(pictures, request, limits).Sum(size => (long)size.Width * size.Height);
            }
            catch (SpotterException)
            {
                return 0;
            }
        }
    }

    private static Raster Make(FilterRequest request, IReadOnlyList<ReadOnlyMemory<byte>> pictures, ImageLimits limits, RandomSource random, StageClock clock)
    {
        if (request.Kind == FilterKind.Concat)
        {
            var joined = Concatenation.Join(pictures, request, limits);
            clock.Decoded();
            return joined;
        }
        // Gone before the answer is encoded: at full size each of them is hundreds of megabytes.
        using var source = Raster.Decode(pictures[0], request.Mode == FilterMode.Grey, limits);
        clock.Decoded();
        return request.Kind switch
        {
            FilterKind.Blur => PixelFilters.Blur(source, request.Level),
            FilterKind.Contour => PixelFilters.Contour(source),
            FilterKind.Rotate => PixelFilters.Rotate(source, request.Degrees, request.AntiClockwise),
            FilterKind.Salt => PixelFilters.Salt(source, request.Amount, request.Seed is { } seed ? (ulong)seed : Draw(random)),
            _ => PixelFilters.Segment(source, request.Threshold),
        };
    }

    /// <summary>Where a faster sequence begins, for millions of draws that nobody has to be unable to guess.</summary>
    private static ulong Draw(RandomSource random)
    {
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        random.Fill(seed);
        return BitConverter.ToUInt64(seed);
    }

    private static EncodedPicture Encode(Raster raster)
    {
        // Level 1 is three times as fast as the usual 6, for a tenth more bytes.
        const int fastCompression = 1;
        try
        {
            using var image = Vips.Over(raster.Pixels, raster.Width, raster.Height, raster.Bands);
            return new EncodedPicture(EncodedBytes.Of(target => image.PngsaveTarget(target, compression: fastCompression, keep: Enums.ForeignKeep.None)));
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"The filtered picture could not be encoded ({Vips.Reason(e)}).", e);
        }
    }
}
