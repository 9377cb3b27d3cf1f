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
            using var image = VipsImage.Over(canvas.Pixels, canvas.Width, canvas.Height, canvas.Bands);
            using var save = new VipsOperation("jpegsave_buffer");
            return new EncodedPicture(save.Set("in", image).Set("Q", 85).Set("keep", "none").Run().Blob());
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"The annotated picture could not be encoded ({e.Message}); ask again without it.", e);
        }
    }
}
