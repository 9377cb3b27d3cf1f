using NetVips;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Images;

/// <summary>
/// Brings whatever was stored into the one form that all else works on: 8 bits, sRGB or grey, without alpha. The rules are
/// in docs/pictures.md. It is computed as rows are read, and pictures that are of that form already are left as they are.
/// </summary>
internal static class OneForm
{
    private const string ProfileField = "icc-profile-data";
    private const double White = 255;

    /// <summary>Takes an image over, and gives one in that form.</summary>
    /// <param name="stored">The image as it was stored.</param>
    /// <param name="colours">What is known of its colours, from an earlier call for the same picture; found out where it is null.</param>
    /// <exception cref="VipsException">The colours can't be converted.</exception>
    public static Image Of(Image stored, ref StoredColours? colours)
    {
        var image = stored;
        try
        {
            var isInk = image.Interpretation == Enums.Interpretation.Cmyk;
            colours ??= ColoursOf(image, isInk);
            if (colours.Table is not null)
                return image;
            // A damaged profile is as good as none.
            var isConverted = (colours.Counts && TryConvert(ref image, isInk, embedded: true)) || (isInk && TryConvert(ref image, isInk, embedded: false));
            if (isInk && !isConverted)
                throw new VipsException("icc_transform");
            if (!isConverted && image.Format != Enums.BandFormat.Uchar)
                Become(ref image, image.Colourspace(Enums.Interpretation.Srgb));
            // The colours below what is transparent are whatever the program that erased them left.
            if (image.Bands is 2 or 4)
                Become(ref image, image.Flatten(background: [White]));
            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private static StoredColours ColoursOf(Image image, bool isInk)
    {
        if (image.Bands <= 2 || !image.Contains(ProfileField) || image.Get(ProfileField) is not byte[] profile || !ColourProfile.Counts(profile, isInk))
            return new(Counts: false, Table: null);
        return new(Counts: true, image is { Format: Enums.BandFormat.Uchar, Bands: 3 } ? ColourProfile.TableOf(profile) : null);
    }

    /// <summary>Converts by the embedded profile, or by the usual one; false where libvips can't make anything of it.</summary>
    private static bool TryConvert(ref Image image, bool isInk, bool embedded)
    {
        try
        {
            Become(ref image, image.IccTransform("srgb", intent: Enums.Intent.Perceptual, embedded: embedded, inputProfile: isInk ? "cmyk" : "srgb", depth: 8));
            return true;
        }
        catch (VipsException)
        {
            Vips.ForgetErrors();
            return false;
        }
    }

    private static void Become(ref Image image, Image converted)
    {
        image.Dispose();
        image = converted;
    }
}

/// <summary>What an embedded profile says of a picture's colours.</summary>
/// <param name="Counts">There is one, and it is not just sRGB.</param>
/// <param name="Table">What has yet to be applied to the rows as they are read; null for nothing.</param>
internal sealed record StoredColours(bool Counts, ColourTable? Table);
