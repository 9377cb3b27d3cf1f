using System.Buffers.Binary;

namespace Spotter.Core.Images;

/// <summary>How far the first bytes of a picture could be read.</summary>
public enum ImageHeaderStatus
{
    /// <summary>Format and size are known.</summary>
    Known,

    /// <summary>So far it may be a picture; the size lies behind the bytes that are here.</summary>
    NeedMore,

    /// <summary>A picture by its first bytes that ends before its size.</summary>
    Truncated,

    /// <summary>A picture by its first bytes, but what follows breaks its format.</summary>
    Damaged,

    /// <summary>HEIC or AVIF, which are not read here.</summary>
    Heif,

    /// <summary>Not a kind of picture that is let in.</summary>
    NotAnImage,
}

/// <summary>
/// What may be known of a picture without decoding it: format and size, read from its first bytes alone.
/// Reading neither allocates nor throws, whatever the bytes are.
/// </summary>
/// <param name="Status">How far the bytes could be read.</param>
/// <param name="Format">What the signature says; null while unknown, and for anything that is not let in.</param>
/// <param name="Width">Width in pixels as stored, before any EXIF turn; 0 unless <see cref="ImageHeaderStatus.Known"/>.</param>
/// <param name="Height">Height in pixels as stored, before any EXIF turn; 0 unless <see cref="ImageHeaderStatus.Known"/>.</param>
public readonly record struct ImageHeader(ImageHeaderStatus Status, ImageFormat? Format, int Width, int Height)
{
    /// <summary>Bytes after which a size that has not come yet is not waited for: far more than cameras put before it.</summary>
    public const int LongestPrefix = 1 << 20;

    // ISO-BMFF brands of still pictures and sequences in HEVC, AV1 or any codec.
    private static ReadOnlySpan<byte> HeifBrands => "heicheixheimheishevchevxhevmhevsmif1mif2msf1avifavis"u8;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>True when the size is known and within <paramref name="limits"/>.</summary>
    public bool Fits(ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return Status == ImageHeaderStatus.Known
            && Math.Max(Width, Height) <= limits.MaxEdge
            && (long)Width * Height <= limits.MaxPixels;
    }

    /// <summary>
    /// Why the picture is not let in; null when it is, and while its size is not known. Zero bytes are a matter of
    /// their own (<see cref="ErrorCodes.EmptyBody"/>).
    /// </summary>
    public SpotterException? Refusal(ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return Status switch
        {
            ImageHeaderStatus.Known when !Fits(limits) => new(
                ErrorCodes.TooManyPixels,
                $"The picture is {Width} x {Height} pixels, but at most {limits.MaxPixels} pixels and {limits.MaxEdge} along an edge are taken; send a smaller one."),
            ImageHeaderStatus.Truncated => new(
                ErrorCodes.ImageTruncated, "The picture ends within its header; send it again, whole."),
            ImageHeaderStatus.Damaged => new(
                ErrorCodes.ImageInvalid, "The picture's header is damaged; save it anew with another program and send that."),
            ImageHeaderStatus.Heif => new(
                ErrorCodes.HeicDisabled, "HEIC and AVIF pictures are not read here; send it as JPEG, PNG, WebP or GIF."),
            ImageHeaderStatus.NotAnImage => new(
                ErrorCodes.UnsupportedImage, "This is not a JPEG, PNG, WebP or GIF picture; send it as one of these."),
            _ => null,
        };
    }

    /// <summary>Reads a header.</summary>
    /// <param name="prefix">The first bytes of the picture; beyond <see cref="LongestPrefix"/> they are not looked at.</param>
    /// <param name="complete">True when no byte follows, so that <see cref="ImageHeaderStatus.NeedMore"/> is no answer.</param>
    public static ImageHeader Read(ReadOnlySpan<byte> prefix, bool complete)
    {
        return ReadWhole(prefix.Length > LongestPrefix ? prefix[..LongestPrefix] : prefix, complete);
    }

    /// <summary>As <see cref="Read"/>, however far the size lies behind the beginning: for who has all of the picture anyway.</summary>
    public static ImageHeader ReadWhole(ReadOnlySpan<byte> picture) => ReadWhole(picture, complete: true);

    private static ImageHeader ReadWhole(ReadOnlySpan<byte> bytes, bool complete)
    {
        var header = ReadByFormat(bytes);
        if (!complete || header.Status != ImageHeaderStatus.NeedMore)
            return header;
        return header.Format is null
            ? new(ImageHeaderStatus.NotAnImage, null, 0, 0)
            : header with { Status = ImageHeaderStatus.Truncated };
    }

    private static ImageHeader ReadByFormat(ReadOnlySpan<byte> bytes)
    {
        var undecided = false;
        if (Begins(bytes, [0xFF, 0xD8, 0xFF], ref undecided))
            return ReadJpeg(bytes);
        if (Begins(bytes, PngSignature, ref undecided))
            return ReadPng(bytes);
        if (Begins(bytes, "GIF87a"u8, ref undecided) || Begins(bytes, "GIF89a"u8, ref undecided))
            return ReadGif(bytes);
        if (Begins(bytes, "RIFF"u8, ref undecided) && BeginsAt(bytes, 8, "WEBP"u8, ref undecided))
            return ReadWebP(bytes);
        // The box's length comes first; no ftyp box is 64 KiB long.
        if (Begins(bytes, [0, 0], ref undecided) && BeginsAt(bytes, 4, "ftyp"u8, ref undecided))
            return ReadFileType(bytes);
        return new(undecided ? ImageHeaderStatus.NeedMore : ImageHeaderStatus.NotAnImage, null, 0, 0);
    }

    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature, ref bool undecided)
    {
        if (bytes.Length >= signature.Length)
            return bytes.StartsWith(signature);
        undecided |= signature.StartsWith(bytes);
        return false;
    }

    private static bool BeginsAt(ReadOnlySpan<byte> bytes, int offset, ReadOnlySpan<byte> signature, ref bool undecided) =>
        Begins(bytes.Length > offset ? bytes[offset..] : default, signature, ref undecided);

    private static ImageHeader ReadJpeg(ReadOnlySpan<byte> bytes)
    {
        var at = 2;
        while (true)
        {
            // Decoders step over stray bytes between segments, so a picture with some is a picture here too.
            var marker = bytes[at..].IndexOf((byte)0xFF);
            if (marker < 0)
                return NeedMore(ImageFormat.Jpeg);
            at += marker;
            var fill = bytes[at..].IndexOfAnyExcept((byte)0xFF);
            if (fill < 0)
                return NeedMore(ImageFormat.Jpeg);
            at += fill;
            var code = bytes[at++];

            switch (code)
            {
                case 0x00 or 0x01 or (>= 0xD0 and <= 0xD7):
                    continue; // no length follows
                case 0xD8 or 0xD9 or 0xDA or 0xC8:
                    return Damaged(ImageFormat.Jpeg); // second start, end, or pixels, before any size
            }
            if (bytes.Length - at < 2)
                return NeedMore(ImageFormat.Jpeg);
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

            if (code is >= 0xC0 and <= 0xCF and not (0xC4 or 0xCC))
            {
                if (length < 8)
                    return Damaged(ImageFormat.Jpeg);
                if (bytes.Length - at < 7)
                    return NeedMore(ImageFormat.Jpeg);
                return Known(
                    ImageFormat.Jpeg,
                    BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 5)..]),
                    BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 3)..]));
            }
            if (length < 2)
                return Damaged(ImageFormat.Jpeg);
            if (bytes.Length - at < length)
                return NeedMore(ImageFormat.Jpeg);
            at += length;
        }
    }

    private static ImageHeader ReadPng(ReadOnlySpan<byte> bytes)
    {
        var undecided = false;
        if (!BeginsAt(bytes, 8, [0, 0, 0, 13, (byte)'I', (byte)'H', (byte)'D', (byte)'R'], ref undecided))
            return undecided ? NeedMore(ImageFormat.Png) : Damaged(ImageFormat.Png);
        if (bytes.Length < 24)
            return NeedMore(ImageFormat.Png);
        return Known(
            ImageFormat.Png,
            BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]));
    }

    // The first frame may be larger than the screen that the file announces, and decoders then grow the screen.
    private static ImageHeader ReadGif(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 13)
            return NeedMore(ImageFormat.Gif);
        int screenWidth = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        int screenHeight = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        var colours = (bytes[10] & 0x80) == 0 ? 0 : 3 << ((bytes[10] & 7) + 1);
        var at = 13 + colours;
        while (at < bytes.Length)
        {
            switch (bytes[at])
            {
                case 0x2C:
                    if (bytes.Length - at < 9)
                        return NeedMore(ImageFormat.Gif);
                    var frame = bytes[(at + 1)..];
                    var right = BinaryPrimitives.ReadUInt16LittleEndian(frame) + BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]);
                    var bottom = BinaryPrimitives.ReadUInt16LittleEndian(frame[2..]) + BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]);
                    return Known(ImageFormat.Gif, Math.Max(screenWidth, right), Math.Max(screenHeight, bottom));
                case 0x21:
                    at += 2;
                    while (at < bytes.Length && bytes[at] != 0)
                        at += bytes[at] + 1;
                    at++;
                    break;
                default:
                    return Damaged(ImageFormat.Gif);
            }
        }
        return NeedMore(ImageFormat.Gif);
    }

    private static ImageHeader ReadWebP(ReadOnlySpan<byte> bytes)
    {
        var undecided = false;
        if (BeginsAt(bytes, 12, "VP8 "u8, ref undecided))
        {
            if (bytes.Length < 30)
                return NeedMore(ImageFormat.WebP);
            // A still picture is a key frame, which has a start code before its size.
            return (bytes[20] & 1) == 0 && bytes[23..].StartsWith((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A])
                ? Known(
                    ImageFormat.WebP,
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes[26..]) & 0x3FFF,
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]) & 0x3FFF)
                : Damaged(ImageFormat.WebP);
        }
        if (BeginsAt(bytes, 12, "VP8L"u8, ref undecided))
        {
            if (bytes.Length < 25)
                return NeedMore(ImageFormat.WebP);
            var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[21..]);
            return bytes[20] == 0x2F
                ? Known(ImageFormat.WebP, (size & 0x3FFF) + 1, ((size >> 14) & 0x3FFF) + 1)
                : Damaged(ImageFormat.WebP);
        }
        if (BeginsAt(bytes, 12, "VP8X"u8, ref undecided))
        {
            return bytes.Length < 30
                ? NeedMore(ImageFormat.WebP)
                : Known(ImageFormat.WebP, UInt24(bytes[24..]) + 1, UInt24(bytes[27..]) + 1);
        }
        return undecided ? NeedMore(ImageFormat.WebP) : Damaged(ImageFormat.WebP);
    }

    private static ImageHeader ReadFileType(ReadOnlySpan<byte> bytes)
    {
        int end = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        // Major brand, its version (no brand), then the brands that readers of which can read it too.
        for (var at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
        {
            if (bytes.Length < at + 4)
                return new(ImageHeaderStatus.NeedMore, null, 0, 0);
            for (var brand = 0; brand < HeifBrands.Length; brand += 4)
            {
                if (bytes.Slice(at, 4).SequenceEqual(HeifBrands.Slice(brand, 4)))
                    return new(ImageHeaderStatus.Heif, null, 0, 0);
            }
        }
        return new(ImageHeaderStatus.NotAnImage, null, 0, 0);
    }

    private static uint UInt24(ReadOnlySpan<byte> bytes) => (uint)(bytes[0] | (bytes[1] << 8) | (bytes[2] << 16));

    private static ImageHeader NeedMore(ImageFormat format) => new(ImageHeaderStatus.NeedMore, format, 0, 0);

    private static ImageHeader Damaged(ImageFormat format) => new(ImageHeaderStatus.Damaged, format, 0, 0);

    private static ImageHeader Known(ImageFormat format, long width, long height) =>
        width is > 0 and <= int.MaxValue && height is > 0 and <= int.MaxValue
            ? new(ImageHeaderStatus.Known, format, (int)width, (int)height)
            : Damaged(format);
}
