using NetVips;
using Spotter.Core;
using Spotter.Vision.Images;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Annotation;

/// <summary>Encodes pictures, with nothing in them but pixels: no EXIF, no place, no profile.</summary>
internal static unsafe class Encoder
{
    // Of 0 to 9; above it time grows faster than files shrink.
    private const int Compression = 4;

    /// <summary>Encodes as JPEG.</summary>
    public static EncodedPicture Encode(Canvas canvas)
    {
        try
        {
            using var image = Vips.Over(canvas.Pixels, canvas.Width, canvas.Height, canvas.Bands);
            return Jpeg(image);
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"The annotated picture could not be encoded ({Vips.Reason(e)}); ask again without it.", e);
        }
    }

    /// <summary>Encodes a map as a grey JPEG, to be looked at.</summary>
    /// <param name="map">The map.</param>
    /// <param name="bits">Bits of its numbers, 8 or 16.</param>
    public static EncodedPicture Encode(GreyMap map, int bits) => OfGrey(map, bits, image =>
    {
        // 65535 is 257 times 255.
        using var scaled = image.Linear([bits == 8 ? 1 : 1 / 257.0], [0.5]);
        using var bytes = scaled.Cast(Enums.BandFormat.Uchar);
        using var grey = bytes.Copy(interpretation: Enums.Interpretation.Bw);
        return Jpeg(grey);
    });

    /// <summary>Encodes a map as a grey PNG, number for number.</summary>
    /// <param name="map">The map.</param>
    /// <param name="bits">Bits of its numbers, 8 or 16.</param>
    public static EncodedPicture EncodeGrey(GreyMap map, int bits) => OfGrey(map, bits, image =>
    {
        using var numbers = image.Cast(bits == 8 ? Enums.BandFormat.Uchar : Enums.BandFormat.Ushort);
        using var grey = numbers.Copy(interpretation: bits == 8 ? Enums.Interpretation.Bw : Enums.Interpretation.Grey16);
        return new EncodedPicture(EncodedBytes.Of(target => grey.PngsaveTarget(target, compression: Compression, bitdepth: bits, keep: Enums.ForeignKeep.None)));
    });

    private static EncodedPicture OfGrey(GreyMap map, int bits, Func<Image, EncodedPicture> encode)
    {
        try
        {
            using var image = Vips.Over(map.Samples, map.Width, map.Height);
            return encode(image);
        }
        catch (VipsException e)
        {
            throw new SpotterException(ErrorCodes.Internal, $"The map of {bits} bits could not be encoded ({Vips.Reason(e)}); send the picture again.", e);
        }
    }

    private static EncodedPicture Jpeg(Image image) => new(EncodedBytes.Of(target => image.JpegsaveTarget(target, q: 85, keep: Enums.ForeignKeep.None)));
}
