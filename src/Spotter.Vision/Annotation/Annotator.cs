using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Images;

namespace Spotter.Vision.Annotation;

/// <summary>Draws a result on its picture.</summary>
public static class Annotator
{
    /// <summary>The picture, upright and at full size, with all that was found drawn on it, as JPEG without any metadata.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.EmptyBody"/>, <see cref="ErrorCodes.UnsupportedImage"/>, <see cref="ErrorCodes.TooManyPixels"/>,
    /// <see cref="ErrorCodes.ImageTruncated"/>, <see cref="ErrorCodes.ImageInvalid"/>, <see cref="ErrorCodes.ImageTooComplex"/>.
    /// </exception>
    public static EncodedPicture Draw(ReadOnlyMemory<byte> picture, VisionResult result, ImageLimits limits, DrawOptions? options = null)
    {
        using var opened = Picture.Open(picture, limits);
        using var canvas = Canvas.Decode(opened);
        return Draw(canvas, result, options ?? new DrawOptions());
    }

    /// <summary>Width and height of the upright picture, which is decoded to its end, so that a damaged one is found.</summary>
    /// <exception cref="SpotterException">As of <see cref="Draw(ReadOnlyMemory{byte}, VisionResult, ImageLimits, DrawOptions)"/>.</exception>
    public static (int Width, int Height) Measure(ReadOnlyMemory<byte> picture, ImageLimits limits)
    {
        using var opened = Picture.Open(picture, limits);
        using var canvas = Canvas.Decode(opened);
        return (canvas.Width, canvas.Height);
    }

    /// <summary>Bytes that decoding and drawing a picture takes at most at one time, by its header; 0 for what is refused by it anyway.</summary>
    public static long MemoryOf(ReadOnlyMemory<byte> picture, ImageLimits limits)
    {
        // The decoded picture, and a JPEG of it: a byte for a pixel of noise, in memory that grows by doubling.
        const int bytesPerPixel = 3, encodedBytesPerPixel = 2;
        var read = PictureMemory.Read(picture, limits);
        return (bytesPerPixel * read.Pixels) + Math.Max(read.Decoder, encodedBytesPerPixel * read.Pixels);
    }

    internal static EncodedPicture Draw(Canvas canvas, VisionResult result, DrawOptions options)
    {
        Redact(canvas, options);
        result = options.WithoutRedacted(result);
        if (options.Zones is { } zones)
            ZonePainter.Paint(canvas, zones);
        if (result.Regions is { } regions)
            RegionPainter.Paint(canvas, regions);
        BoxPainter.Paint(canvas, result);
        if (result.Detections?.Where(d => d.Then?.Detections is not null).Select(d => d.Then!).ToList() is [var first, ..] and var second)
            BoxPainter.Paint(canvas, result with { Labels = null, Detections = [.. second.SelectMany(t => t.Detections!)], Skeleton = first.Skeleton });
        return Encoder.Encode(canvas);
    }

    /// <summary>Hides what is to be hidden. To be called once for a canvas.</summary>
    internal static void Redact(Canvas canvas, DrawOptions options)
    {
        if (options.Redacted is { } boxes)
            Redaction.Hide(canvas, boxes, options.RedactWith);
    }
}
