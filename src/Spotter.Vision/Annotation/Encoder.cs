using NetVips;
using Spotter.Core;
using Spotter.Vision.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Annotation;

internal static unsafe class Encoder
{
    /// <summary>Encodes as JPEG, with nothing in it but pixels: no EXIF, no place, no profile.</summary>
    public static EncodedPicture Encode(Canvas canvas)
    {
        try
        {
            using var image = Vips.Over(canvas.Pixels, canvas.Width, canvas.Height, canvas.Bands);
            return new EncodedPicture(EncodedBytes.Of(target => image.JpegsaveTarget(target, q: 85, keep: Enums.ForeignKeep.None)));
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"The annotated picture could not be encoded ({Vips.Reason(e)}); ask again without it.", e);
        }
    }
}
