using System.Buffers.Binary;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Vision.Images;

namespace Spotter.Tests.Vision;

/// <summary>What a picture would cost its decoder is seen before that is shown anything, wherever in the file it stands.</summary>
public sealed class PictureStructureTests
{
    // Behind this much no header is looked for at the gateway.
    private static readonly byte[] Metadata = [.. Enumerable.Repeat((byte[])[0xFF, 0xFE, 0xFF, 0xFF, .. new byte[65_533]], 17).SelectMany(b => b)];

    // By name: the runner writes data of a test out as text, which takes minutes for megabytes.
    private static readonly Dictionary<string, (Func<byte[]> Make, string Code)> Cases = new(StringComparer.Ordinal)
    {
        ["scans behind comments"] = (() => Behind(Scans), ErrorCodes.ImageTooComplex),
        ["scans of fill bytes"] = (() => Behind(Replace(Scans, [0xFF, 0xDA], [0xFF, 0xFF, 0xFF, 0xDA])), ErrorCodes.ImageTooComplex),
        ["scans with comments between them"] = (() => Behind(Replace(Scans, [0xFF, 0xDA], [0xFF, 0xFE, 0, 4, 1, 2, 0xFF, 0xDA])), ErrorCodes.ImageTooComplex),
        ["a size behind comments"] = (() => Behind(TestPictures.JpegWithSize(20_000, 14_000)), ErrorCodes.TooManyPixels),
        ["a GIF's size behind comments"] = (() => BehindGif(TestPictures.Gif(20, 10), 20_000), ErrorCodes.TooManyPixels),
        ["text that unpacks a thousandfold"] = (() => TestPictures.PngWithChunks("zTXt", [.. "a\0\0"u8, .. new byte[400_000]], 6), ErrorCodes.ImageTooComplex),
        ["compressed international text"] = (() => TestPictures.PngWithChunks("iTXt", [.. "a\0\u0001\0"u8, .. new byte[400_000]], 6), ErrorCodes.ImageTooComplex),
        ["a profile that unpacks a thousandfold"] = (() => TestPictures.PngWithChunks("iCCP", [.. "a\0\0"u8, .. new byte[2_100_000]], 1), ErrorCodes.ImageTooComplex),
        ["a GIF of many frames"] = (() => GifOfFrames(10_001), ErrorCodes.ImageTooComplex),
        ["a WebP of many frames"] = (() => WebPOfFrames(10_001), ErrorCodes.ImageTooComplex),
    };

    private static byte[] Scans => TestPictures.JpegOfManyScans(5_000);

    public static TheoryData<string> Costly() => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Costly))]
    public void What_costs_too_much_is_refused_before_it_is_decoded(string what)
    {
        var (make, code) = Cases[what];

        var refusal = Should.Throw<SpotterException>(() => Picture.Open(make(), new ImageLimits()).Dispose());

        refusal.Code.ShouldBe(code, refusal.Message);
    }

    [Fact]
    public void Metadata_of_any_length_keeps_no_picture_out()
    {
        foreach (var picture in (byte[][])[Behind(TestPictures.Jpeg(40, 30)), Behind(TestPictures.ProgressiveJpeg(40, 30)), TestPictures.PngWithChunks("tEXt", [.. "a\0"u8, .. new byte[1_500_000]], 1)])
        {
            using var opened = Picture.Open(picture, new ImageLimits());
            using var canvas = Canvas.Decode(opened);
            (canvas.Width, canvas.Height).ShouldBe((picture[0] == 0xFF ? 40 : 100, picture[0] == 0xFF ? 30 : 100));
        }
    }

    [Fact]
    public void A_thumbnail_within_metadata_is_no_scan()
    {
        var plain = TestPictures.Jpeg(64, 64);
        byte[] thumbnail = [0xFF, 0xE1, 0x40, 0x00, .. TestPictures.JpegOfManyScans(40).Concat(new byte[0x4000]).Take(0x3FFE)];

        PictureStructure.Read(ImageFormat.Jpeg, (byte[])[0xFF, 0xD8, .. thumbnail, .. plain[2..]]).Scans.ShouldBe(1);
        PictureStructure.Read(ImageFormat.Jpeg, TestPictures.JpegOfManyScans(40)).Scans.ShouldBeGreaterThan(40);
    }

    [Fact]
    public void Only_what_is_decoded_as_a_whole_takes_memory()
    {
        Bytes(ImageFormat.Jpeg, TestPictures.Jpeg(64, 64)).ShouldBe(0);
        Bytes(ImageFormat.Jpeg, TestPictures.ProgressiveJpeg(64, 64)).ShouldBe(6);
        Bytes(ImageFormat.Png, TestPictures.Png(64, 64)).ShouldBe(0);
        Bytes(ImageFormat.Png, TestPictures.Encode(TestPictures.Pattern(64, 64, 3), 64, 64, 3, "pngsave_buffer", ("interlace", true))).ShouldBe(3);
        Bytes(ImageFormat.WebP, TestPictures.WebP(64, 64)).ShouldBeGreaterThan(4);
        Bytes(ImageFormat.Gif, TestPictures.Gif(64, 64)).ShouldBeGreaterThan(4);

        static int Bytes(ImageFormat format, byte[] picture) => PictureStructure.Read(format, picture).BytesPerPixel;
    }

    [Fact]
    public void Whatever_the_bytes_are_the_walk_ends()
    {
        var noise = new byte[4096];
        for (var round = 0; round < 2_000; round++)
        {
            RandomSource.Seeded(round).Fill(noise);
            foreach (var format in Enum.GetValues<ImageFormat>())
            {
                if (round % 2 == 0)
                    Sound(format).AsSpan(0, 32).CopyTo(noise);
                PictureStructure.Read(format, noise.AsSpan(0, round * 2));
            }
        }

        static byte[] Sound(ImageFormat format) => format switch
        {
            ImageFormat.Jpeg => Jpeg,
            ImageFormat.Png => Png,
            ImageFormat.WebP => WebP,
            _ => Gif,
        };
    }

    private static readonly byte[] Jpeg = TestPictures.Jpeg(32, 32);
    private static readonly byte[] Png = TestPictures.Png(32, 32);
    private static readonly byte[] WebP = TestPictures.WebP(32, 32);
    private static readonly byte[] Gif = TestPictures.Gif(32, 32);

    private static byte[] Behind(byte[] jpeg) => [0xFF, 0xD8, .. Metadata, .. jpeg[2..]];

    private static byte[] Replace(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> what, ReadOnlySpan<byte> with)
    {
        using var made = new MemoryStream();
        for (int found; (found = bytes.IndexOf(what)) >= 0; bytes = bytes[(found + what.Length)..])
        {
            made.Write(bytes[..found]);
            made.Write(with);
        }
        made.Write(bytes);
        return made.ToArray();
    }

    /// <summary>A GIF whose first frame, which decides its size, comes after more than a megabyte of comments.</summary>
    private static byte[] BehindGif(byte[] gif, ushort width)
    {
        var start = 13 + ((gif[10] & 0x80) == 0 ? 0 : 3 << ((gif[10] & 7) + 1));
        byte[] block = [255, .. new byte[255]];
        byte[] made = [.. gif[..start], 0x21, 0xFE, .. Enumerable.Repeat(block, 4_500).SelectMany(b => b), 0, .. gif[start..]];
        BinaryPrimitives.WriteUInt16LittleEndian(made.AsSpan(6), width);
        return made;
    }

    private static byte[] GifOfFrames(int frames)
    {
        var gif = TestPictures.Gif(4, 4);
        byte[] frame = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4C, 1, 0];
        return [.. gif[..^1], .. Enumerable.Repeat(frame, frames).SelectMany(b => b), 0x3B];
    }

    private static byte[] WebPOfFrames(int frames)
    {
        var still = TestPictures.WebP(4, 4)[12..];
        byte[] size = [3, 0, 0, 3, 0, 0];
        byte[] head = [.. "VP8X"u8, 10, 0, 0, 0, 2, 0, 0, 0, .. size, .. "ANIM"u8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] body = [0, 0, 0, 0, 0, 0, .. size, 1, 0, 0, 0, .. still];
        byte[] frame = [.. "ANMF"u8, (byte)body.Length, (byte)(body.Length >> 8), 0, 0, .. body];
        byte[] webp = [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBP"u8, .. head, .. Enumerable.Repeat(frame, frames).SelectMany(b => b)];
        BinaryPrimitives.WriteInt32LittleEndian(webp.AsSpan(4), webp.Length - 8);
        return webp;
    }
}
