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
    public static EncodedPicture Draw(ReadOnlyMemory<byte> picture, VisionResult result, ImageLimits limits)
    {
        using var opened = Picture.Open(picture, limits);
        using var canvas = Canvas.Decode(opened);
        return Draw(canvas, result);
    }

    internal static EncodedPicture Draw(Canvas canvas, VisionResult result)
    {
        BoxPainter.Paint(canvas, result);
        return Encoder.Encode(canvas);
    }
}
