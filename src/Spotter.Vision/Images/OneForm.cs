using NetVips;

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
    /// <param name="colours">What has yet to be applied to the rows as they are read; null for nothing.</param>
    /// <exception cref="VipsException">The colours can't be converted.</exception>
    public static Image Of(Image stored, out ColourTable? colours)
    {
        colours = null;
        var image = stored;
        try
        {
            var isInk = image.Interpretation == Enums.Interpretation.Cmyk;
            var profile = ProfileOf(image, isInk);
            var counts = profile is not null;
            if (counts && image is { Format: Enums.BandFormat.Uchar, Bands: 3 } && (colours = ColourProfile.TableOf(profile)) is not null)
                return image;
            if (isInk || counts)
                Become(ref image, image.IccTransform("srgb", intent: Enums.Intent.Perceptual, embedded: counts, inputProfile: isInk ? "cmyk" : "srgb", depth: 8));
            else if (image.Format != Enums.BandFormat.Uchar)
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

    /// <summary>The embedded profile; null if there is none that counts.</summary>
    private static byte[]? ProfileOf(Image image, bool isInk) =>
        image.Bands > 2 && image.Contains(ProfileField) && image.Get(ProfileField) is byte[] profile && ColourProfile.Counts(profile, isInk) ? profile : null;

    private static void Become(ref Image image, Image converted)
    {
        image.Dispose();
        image = converted;
    }
}
