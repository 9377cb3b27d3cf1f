using Spotter.Core.Images;

namespace Spotter.Vision.Images;

/// <summary>What decoding a picture holds in memory, by its header.</summary>
/// <param name="Pixels">Its pixels at full size.</param>
/// <param name="Decoder">Bytes that the decoder holds, besides what it gives out.</param>
internal readonly record struct PictureMemory(long Pixels, long Decoder)
{
    /// <summary>Reads a header; zero for what is refused by it anyway.</summary>
    public static PictureMemory Read(ReadOnlyMemory<byte> encoded, ImageLimits limits)
    {
        if (ImageHeader.ReadWhole(encoded.Span) is not { Status: ImageHeaderStatus.Known, Format: { } format } header || !header.Fits(limits))
            return default;
        var pixels = (long)header.Width * header.Height;
        var structure = PictureStructure.Read(format, encoded.Span);
        return new(pixels, (pixels * structure.BytesPerPixel) + (structure.LacksEnd ? 2L * encoded.Length : 0));
    }
}
