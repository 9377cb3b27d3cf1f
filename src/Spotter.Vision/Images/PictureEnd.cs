using System.Buffers.Binary;
using Spotter.Core.Images;

namespace Spotter.Vision.Images;

/// <summary>Tells a picture that was cut off from one that is damaged.</summary>
internal static class PictureEnd
{
    /// <summary>
    /// True when the bytes stop before the picture does. Asked only of pictures that could not be decoded.
    /// </summary>
    public static bool IsMissing(ImageFormat format, ReadOnlySpan<byte> bytes) => format switch
    {
        ImageFormat.Jpeg => JpegEndsEarly(bytes),
        ImageFormat.Png => PngEndsEarly(bytes),
        ImageFormat.WebP => WebPEndsEarly(bytes),
        ImageFormat.Gif => GifEndsEarly(bytes),
        _ => false,
    };

    private static bool JpegEndsEarly(ReadOnlySpan<byte> bytes)
    {
        const byte startOfScan = 0xDA, endOfImage = 0xD9;
        var at = 2;
        while (at + 4 <= bytes.Length)
        {
            if (bytes[at] != 0xFF)
                return false;
            var marker = bytes[at + 1];
            if (marker is 0xFF)
            {
                at++;
                continue;
            }
            if (marker == endOfImage)
                return false;
            // In the coded data an FF is always escaped, so the first end marker after a scan's start is one.
            if (marker == startOfScan)
                return bytes[at..].IndexOf([(byte)0xFF, endOfImage]) < 0;
            at += marker is 0x01 or (>= 0xD0 and <= 0xD8) ? 2 : 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
        }
        return true;
    }

    private static bool PngEndsEarly(ReadOnlySpan<byte> bytes)
    {
        const int chunkFrame = 12; // length, type, checksum
        long at = 8; // behind the signature
        while (at + 8 <= bytes.Length)
        {
            var chunk = bytes[(int)at..];
            if (chunk[4..].StartsWith("IEND"u8))
                return false;
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (length > int.MaxValue)
                return false;
            at += chunkFrame + length;
        }
        return true;
    }

    private static bool WebPEndsEarly(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + 8L > bytes.Length;

    private static bool GifEndsEarly(ReadOnlySpan<byte> bytes)
    {
        const byte extension = 0x21, imageDescriptor = 0x2C, trailer = 0x3B;
        if (bytes.Length < 13)
            return true;
        var at = 13 + ColourTableLength(bytes[10]);
        while (at < bytes.Length)
        {
            switch (bytes[at])
            {
                case trailer:
                    return false;
                case extension:
                    at += 2;
                    break;
                case imageDescriptor when at + 10 < bytes.Length:
                    at += 10 + ColourTableLength(bytes[at + 9]) + 1;
                    break;
                case imageDescriptor:
                    return true;
                default:
                    return false;
            }
            while (at < bytes.Length && bytes[at] != 0)
                at += bytes[at] + 1;
            at++;
        }
        return true;
    }

    private static int ColourTableLength(byte packed) => (packed & 0x80) == 0 ? 0 : 3 << ((packed & 7) + 1);
}
