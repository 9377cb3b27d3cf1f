using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Tests.Images;

public sealed class ImageHeaderTests
{
    public static TheoryData<string, ImageFormat, int, int> Pictures()
    {
        var data = new TheoryData<string, ImageFormat, int, int>
        {
            { "jpeg", ImageFormat.Jpeg, 640, 480 },
            { "jpeg-progressive", ImageFormat.Jpeg, 640, 480 },
            { "jpeg-exif", ImageFormat.Jpeg, 640, 480 },
            { "jpeg-stray", ImageFormat.Jpeg, 640, 480 },
            { "png", ImageFormat.Png, 640, 480 },
            { "gif", ImageFormat.Gif, 640, 480 },
            { "gif-extensions", ImageFormat.Gif, 640, 480 },
            { "gif-grown", ImageFormat.Gif, 650, 490 },
            { "gif-no-screen", ImageFormat.Gif, 650, 490 },
            { "vp8", ImageFormat.WebP, 640, 480 },
            { "vp8l", ImageFormat.WebP, 640, 480 },
            { "vp8x", ImageFormat.WebP, 640, 480 },
        };
        return data;
    }

    [Theory]
    [MemberData(nameof(Pictures))]
    public void The_size_is_read_from_the_first_bytes(string name, ImageFormat format, int width, int height) =>
        ImageHeader.Read(Picture(name), complete: false).ShouldBe(new(ImageHeaderStatus.Known, format, width, height));

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Any_shorter_prefix_needs_more_or_is_truncated(string name, ImageFormat format, int width, int height)
    {
        var bytes = Picture(name);
        for (var length = 0; length < bytes.Length; length++)
        {
            var prefix = bytes.AsSpan(0, length);
            ImageHeader.Read(prefix, complete: false).Status.ShouldBe(ImageHeaderStatus.NeedMore, $"{length} bytes");
            var whole = ImageHeader.Read(prefix, complete: true);
            whole.Status.ShouldBe(
                whole.Format is null ? ImageHeaderStatus.NotAnImage : ImageHeaderStatus.Truncated, $"{length} bytes");
            (whole.Format is null || whole.Format == format).ShouldBeTrue();
        }
        ImageHeader.Read(bytes, complete: true).ShouldBe(new(ImageHeaderStatus.Known, format, width, height));
    }

    [Fact]
    public void A_jpeg_whose_size_lies_beyond_the_longest_prefix_stays_unknown()
    {
        var segment = new byte[65_537];
        segment[0] = 0xFF;
        segment[1] = 0xE1;
        segment[2] = 0xFF;
        segment[3] = 0xFF;
        byte[] bytes = [0xFF, 0xD8, .. Enumerable.Repeat(segment, 17).SelectMany(s => s), .. Picture("jpeg").AsSpan(2)];

        ImageHeader.Read(bytes, complete: false).Status.ShouldBe(ImageHeaderStatus.NeedMore);
        ImageHeader.Read(bytes.AsSpan(0, ImageHeader.LongestPrefix), complete: false).Status.ShouldBe(ImageHeaderStatus.NeedMore);
    }

    [Theory]
    [InlineData("")]
    [InlineData("3C 3F 78 6D 6C 20 76 65 72 73 69 6F 6E")] // <?xml version
    [InlineData("25 50 44 46 2D 31 2E 37 0A 25 E2 E3 CF")] // %PDF-1.7
    [InlineData("42 4D 36 00 0C 00 00 00 00 00 36 00 00")] // BMP
    [InlineData("49 49 2A 00 08 00 00 00 0E 00 FE 00 04")] // TIFF
    [InlineData("52 49 46 46 24 08 00 00 57 41 56 45 66 6D 74 20")] // WAV
    [InlineData("00 00 00 18 66 74 79 70 69 73 6F 6D 00 00 02 00 69 73 6F 6D 6D 70 34 32")] // MP4
    [InlineData("00 00 00 0C 6A 50 20 20 0D 0A 87 0A")] // JPEG 2000
    [InlineData("FF 0A FA 1F 01 00 00 00 00 00 00 00")] // JPEG XL
    public void What_is_no_picture_is_not_taken_for_one(string hex)
    {
        var header = ImageHeader.Read(Bytes(hex), complete: true);
        header.ShouldBe(new(ImageHeaderStatus.NotAnImage, null, 0, 0));
    }

    [Theory]
    [InlineData("heic")]
    [InlineData("heix")]
    [InlineData("mif1")]
    [InlineData("msf1")]
    [InlineData("avif")]
    [InlineData("avis")]
    [InlineData("MSNV miaf avif")] // only a compatible brand says so
    public void Heic_and_avif_are_recognised_by_their_brands(string brands)
    {
        var names = brands.Split(' ');
        byte[] box = [.. Encoding.ASCII.GetBytes("ftyp" + names[0]), 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(string.Concat(names[1..]))];
        byte[] file = [0, 0, 0, (byte)(box.Length + 4), .. box, .. new byte[20]];

        ImageHeader.Read(file, complete: true).Status.ShouldBe(ImageHeaderStatus.Heif);
        ImageHeader.Read(file.AsSpan(0, 11), complete: false).Status.ShouldBe(ImageHeaderStatus.NeedMore);
    }

    [Theory]
    [InlineData("FF D8 FF D9")] // ends at once
    [InlineData("FF D8 FF DA 00 08")] // pixels without a size
    [InlineData("FF D8 FF E0 00 01 00 00 00 00")] // segment shorter than its own length
    [InlineData("FF D8 FF C0 00 11 08 00 00 02 80 03 01 11 00")] // no height
    [InlineData("89 50 4E 47 0D 0A 1A 0A 00 00 00 0D 49 48 44 52 00 00 00 00 00 00 01 00")] // no width
    [InlineData("89 50 4E 47 0D 0A 1A 0A 00 00 00 0D 49 48 44 52 80 00 00 00 00 00 01 00")] // wider than the format allows
    [InlineData("89 50 4E 47 0D 0A 1A 0A 00 00 00 0D 49 44 41 54 00 00 01 00 00 00 01 00")] // pixels without a size
    [InlineData("47 49 46 38 39 61 01 00 01 00 00 00 00 3B")] // no frame
    [InlineData("52 49 46 46 24 00 00 00 57 45 42 50 41 4E 49 4D 00 00 00 00")] // frames without a canvas
    public void A_broken_header_is_damaged(string hex) =>
        ImageHeader.Read(Bytes(hex), complete: false).Status.ShouldBe(ImageHeaderStatus.Damaged);

    [Fact]
    public void Sizes_over_the_limits_do_not_fit()
    {
        var limits = new ImageLimits();
        Sized(ImageFormat.Png, 65_536, 65_536).Fits(limits).ShouldBeFalse();
        Sized(ImageFormat.Jpeg, 20_000, 14_000).Fits(limits).ShouldBeFalse();
        Sized(ImageFormat.Jpeg, 16_385, 1).Fits(limits).ShouldBeFalse();
        Sized(ImageFormat.Jpeg, 10_001, 10_000).Fits(limits).ShouldBeFalse();
        Sized(ImageFormat.Jpeg, 10_000, 10_000).Fits(limits).ShouldBeTrue();
        Sized(ImageFormat.Jpeg, 16_384, 6_000).Fits(limits).ShouldBeTrue();
        Sized(ImageFormat.Png, int.MaxValue, int.MaxValue).Fits(new() { MaxEdge = int.MaxValue }).ShouldBeFalse();
        new ImageHeader(ImageHeaderStatus.NeedMore, ImageFormat.Jpeg, 0, 0).Fits(limits).ShouldBeFalse();
    }

    [Fact]
    public void Each_refusal_has_its_code()
    {
        var limits = new ImageLimits();
        Code(Sized(ImageFormat.Png, 65_536, 65_536)).ShouldBe(ErrorCodes.TooManyPixels);
        Code(new(ImageHeaderStatus.Truncated, ImageFormat.Png, 0, 0)).ShouldBe(ErrorCodes.ImageTruncated);
        Code(new(ImageHeaderStatus.Damaged, ImageFormat.Png, 0, 0)).ShouldBe(ErrorCodes.ImageInvalid);
        Code(new(ImageHeaderStatus.Heif, null, 0, 0)).ShouldBe(ErrorCodes.HeicDisabled);
        Code(new(ImageHeaderStatus.NotAnImage, null, 0, 0)).ShouldBe(ErrorCodes.UnsupportedImage);
        Code(new(ImageHeaderStatus.NeedMore, null, 0, 0)).ShouldBeNull();
        Code(Sized(ImageFormat.Png, 100, 100)).ShouldBeNull();

        string? Code(ImageHeader header) => header.Refusal(limits)?.Code;
    }

    [Fact]
    public void Random_bytes_after_any_signature_are_always_answered()
    {
        var random = RandomSource.Seeded(20_240_601);
        string[] signatures = ["", "FF D8 FF", "89 50 4E 47 0D 0A 1A 0A", "47 49 46 38 39 61", "52 49 46 46 00 00 00 00 57 45 42 50", "00 00 00 40 66 74 79 70"];
        var bytes = new byte[4_096];
        for (var round = 0; round < 20_000; round++)
        {
            random.Fill(bytes);
            Bytes(signatures[round % signatures.Length]).CopyTo(bytes, 0);
            Sane(bytes.AsSpan(0, (int)(random.NextDouble() * bytes.Length)));
        }
    }

    [Fact]
    public void Mutated_pictures_are_always_answered()
    {
        var random = RandomSource.Seeded(7);
        foreach (var name in Pictures().Select(row => (string)row[0]))
        {
            var original = Picture(name);
            for (var round = 0; round < 3_000; round++)
            {
                var bytes = original.AsSpan().ToArray();
                for (var flips = 1 + (int)(random.NextDouble() * 4); flips > 0; flips--)
                    bytes[(int)(random.NextDouble() * bytes.Length)] = (byte)(random.NextDouble() * 256);
                Sane(bytes);
            }
        }
    }

    [Fact]
    public void Long_hostile_files_are_read_in_one_pass()
    {
        var markers = new byte[ImageHeader.LongestPrefix * 2];
        markers.AsSpan().Fill(0xFF);
        Bytes("FF D8 FF").CopyTo(markers, 0);
        Sane(markers);

        var empties = new byte[ImageHeader.LongestPrefix * 2]; // extension blocks without content
        Bytes("47 49 46 38 39 61 01 00 01 00 00 00 00").CopyTo(empties, 0);
        for (var at = 13; at + 3 <= empties.Length; at += 3)
            empties[at] = 0x21;
        ImageHeader.Read(empties, complete: false).Status.ShouldBe(ImageHeaderStatus.NeedMore);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var pictures = Pictures().Select(row => Picture((string)row[0])).ToArray();
        foreach (var picture in pictures)
            ImageHeader.Read(picture, complete: true);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var picture in pictures)
            ImageHeader.Read(picture, complete: true);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [SharedFact]
    public void Real_pictures_have_the_size_that_their_makers_say()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Image("manifest.json")));
        var count = 0;
        foreach (var image in manifest.RootElement.GetProperty("images").EnumerateArray())
        {
            var file = image.GetProperty("file").GetString()!;
            var (width, height) = (image.GetProperty("width").GetInt32(), image.GetProperty("height").GetInt32());
            if (file.Contains("exif6", StringComparison.Ordinal))
                (width, height) = (height, width); // the manifest gives the size as shown
            var header = ImageHeader.Read(File.ReadAllBytes(SharedFiles.Image(file)), complete: true);
            header.Status.ShouldBe(ImageHeaderStatus.Known, file);
            (header.Width, header.Height).ShouldBe((width, height), file);
            header.Format.ShouldBe(
                Path.GetExtension(file) switch { ".png" => ImageFormat.Png, ".webp" => ImageFormat.WebP, _ => ImageFormat.Jpeg }, file);
            count++;
        }
        count.ShouldBeGreaterThan(10);
    }

    private static void Sane(ReadOnlySpan<byte> bytes)
    {
        var open = ImageHeader.Read(bytes, complete: false);
        var whole = ImageHeader.Read(bytes, complete: true);
        whole.Status.ShouldNotBe(ImageHeaderStatus.NeedMore);
        if (open.Status != ImageHeaderStatus.NeedMore)
            whole.ShouldBe(open);
        (open.Status == ImageHeaderStatus.Known).ShouldBe(open.Width > 0 && open.Height > 0 && open.Format is not null);
    }

    private static ImageHeader Sized(ImageFormat format, int width, int height) =>
        new(ImageHeaderStatus.Known, format, width, height);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    // Each ends with the last byte that its size needs.
    private static byte[] Picture(string name)
    {
        const string Jfif = "FF E0 00 10 4A 46 49 46 00 01 01 00 00 01 00 01 00 00";
        const string Size = "01 E0 02 80"; // 480, 640
        const string Screen = "47 49 46 38 39 61 80 02 E0 01";
        return name switch
        {
            "jpeg" => Bytes($"FF D8 {Jfif} FF DB 00 04 00 00 FF C0 00 11 08 {Size}"),
            "jpeg-progressive" => Bytes($"FF D8 {Jfif} FF C4 00 04 00 00 FF C2 00 11 08 {Size}"),
            "jpeg-exif" => [.. Bytes("FF D8"), .. Exif(), .. Bytes($"FF C0 00 11 08 {Size}")],
            "jpeg-stray" => Bytes($"FF D8 FF FF FF FE 00 03 41 00 17 FF D0 FF 01 FF FF FF C1 00 11 0C {Size}"),
            "png" => Bytes("89 50 4E 47 0D 0A 1A 0A 00 00 00 0D 49 48 44 52 00 00 02 80 00 00 01 E0"),
            "gif" => Bytes($"{Screen} 00 00 00 2C 00 00 00 00 80 02 E0 01"),
            "gif-extensions" => Bytes($"{Screen} 80 00 00 010203040506 21 F9 04 00 00 00 00 00 21 FE 02 41 42 01 43 00 2C 00 00 00 00 80 02 E0 01"),
            "gif-grown" => Bytes($"{Screen} 00 00 00 2C 0A 00 0A 00 80 02 E0 01"),
            "gif-no-screen" => Bytes("47 49 46 38 37 61 00 00 00 00 00 00 00 2C 0A 00 0A 00 80 02 E0 01"),
            "vp8" => Bytes("52 49 46 46 00 10 00 00 57 45 42 50 56 50 38 20 00 10 00 00 30 00 00 9D 01 2A 80 02 E0 41"),
            "vp8l" => [.. Bytes("52 49 46 46 00 10 00 00 57 45 42 50 56 50 38 4C 00 10 00 00 2F"), .. LittleEndian(639 | (479 << 14))],
            "vp8x" => Bytes("52 49 46 46 00 10 00 00 57 45 42 50 56 50 38 58 0A 00 00 00 10 00 00 00 7F 02 00 DF 01 00"),
            _ => throw new ArgumentException(name, nameof(name)),
        };
    }

    // Its content looks like a size in another segment: a reader that searches instead of walking is fooled.
    private static byte[] Exif() => [0xFF, 0xE1, 0x01, 0x02, .. Bytes("FF C0 00 11 08 00 01 00 01"), .. new byte[0x102 - 2 - 9]];

    private static byte[] LittleEndian(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
