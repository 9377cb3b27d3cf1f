using System.Buffers.Binary;
using System.Text;
using NetVips;
using Spotter.Vision.LibVips;

namespace Spotter.Tests.Vision;

/// <summary>Makes the encoded pictures that tests need, byte for byte the same each time.</summary>
internal static unsafe class TestPictures
{
    /// <summary>Encodes raw pixels.</summary>
    /// <param name="pixels">Row by row, interleaved.</param>
    /// <param name="save">The libvips operation, as <c>jpegsave_buffer</c>.</param>
    public static byte[] Encode(byte[] pixels, int width, int height, int bands, string save, params (string Name, object Value)[] options)
    {
        fixed (byte* p = pixels)
        {
            using var image = Vips.Over(p, width, height, bands);
            return Save(image, save, options);
        }
    }

    public static byte[] Jpeg(int width, int height, int bands = 3) =>
        Encode(Pattern(width, height, bands), width, height, bands, "jpegsave_buffer", ("Q", 95));

    public static byte[] ProgressiveJpeg(int width, int height) =>
        Encode(Pattern(width, height, 3), width, height, 3, "jpegsave_buffer", ("interlace", true));

    public static byte[] Png(int width, int height, int bands = 3) => Png(Pattern(width, height, bands), width, height, bands);

    public static byte[] Png(byte[] pixels, int width, int height, int bands = 3) =>
        Encode(pixels, width, height, bands, "pngsave_buffer");

    public static byte[] WebP(int width, int height) =>
        Encode(Pattern(width, height, 3), width, height, 3, "webpsave_buffer", ("lossless", true));

    public static byte[] Gif(int width, int height) => Encode(Pattern(width, height, 3), width, height, 3, "gifsave_buffer");

    /// <summary>A PNG of 16 bits per band whose high bytes are <see cref="Pattern"/>.</summary>
    public static byte[] Png16(int width, int height) =>
        Png16([.. Pattern(width, height, 3).Select(high => (ushort)((high << 8) | 0x7F))], width, height, 3);

    /// <summary>A PNG of 16 bits per band.</summary>
    public static byte[] Png16(ushort[] samples, int width, int height, int bands, byte[]? profile = null)
    {
        fixed (ushort* p = samples)
        {
            using var bytes = Vips.Over((byte*)p, width, height, bands * 2);
            using var image = bytes.Copy(bands: bands, format: Enums.BandFormat.Ushort, interpretation: bands < 3 ? Enums.Interpretation.Grey16 : Enums.Interpretation.Rgb16);
            return Save(image, profile, "pngsave_buffer", ("bitdepth", 16));
        }
    }

    /// <summary>A JPEG of four inks: all of one ink mix.</summary>
    public static byte[] CmykJpeg(int width, int height, byte cyan, byte magenta, byte yellow, byte black, byte[]? profile = null)
    {
        var inks = new byte[width * height * 4];
        for (var i = 0; i < inks.Length; i += 4)
            (inks[i], inks[i + 1], inks[i + 2], inks[i + 3]) = (cyan, magenta, yellow, black);
        fixed (byte* p = inks)
        {
            using var plain = Vips.Over(p, width, height, 4);
            using var image = plain.Copy(interpretation: Enums.Interpretation.Cmyk);
            return Save(image, profile, "jpegsave_buffer", ("Q", 95));
        }
    }

    /// <summary>Encodes pixels with a profile beside them, which says what they are and changes none; with no profile for null.</summary>
    public static byte[] WithProfile(byte[] pixels, int width, int height, int bands, string save, byte[]? profile)
    {
        fixed (byte* p = pixels)
        {
            using var plain = Vips.Over(p, width, height, bands);
            using var image = plain.Copy(interpretation: bands < 3 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
            return Save(image, profile, save, Exact(save));
        }
    }

    /// <summary>One of the profiles that libvips brings along: srgb, p3, cmyk.</summary>
    public static byte[] BuiltInProfile(string name)
    {
        Vips.Start();
        return Image.ProfileLoad(name);
    }

    /// <summary>A PNG in Display P3 that shows these sRGB pixels.</summary>
    public static byte[] InP3(byte[] pixels, int width, int height)
    {
        fixed (byte* p = pixels)
        {
            using var image = Vips.Over(p, width, height, 3);
            using var converted = image.IccTransform("p3", inputProfile: "srgb", depth: 8);
            return Save(converted, null, "pngsave_buffer");
        }
    }

    /// <summary>Encodes pixels as they are, with EXIF that says how they are to be turned.</summary>
    public static byte[] WithOrientation(byte[] pixels, int width, int height, string save, int orientation)
    {
        fixed (byte* p = pixels)
        {
            using var image = Vips.Over(p, width, height, 3);
            using var turned = image.Mutate(m => m.Set(GValue.GIntType, "orientation", orientation));
            return Save(turned, null, save, Exact(save));
        }
    }

    /// <summary>A JPEG without its segments of one kind.</summary>
    public static byte[] WithoutSegment(byte[] jpeg, byte kind)
    {
        var at = 2;
        while (jpeg[at + 1] != kind)
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at + 2));
        return [.. jpeg[..at], .. jpeg[(at + 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at + 2)))..]];
    }

    /// <summary>Two frames of one colour each, one after the other.</summary>
    public static byte[] AnimatedWebP(int edge, (byte R, byte G, byte B) first, (byte R, byte G, byte B) second)
    {
        byte[] size = [(byte)(edge - 1), 0, 0, (byte)(edge - 1), 0, 0];
        byte[] chunks = [.. "WEBP"u8, .. "VP8X"u8, 10, 0, 0, 0, 2, 0, 0, 0, .. size, .. "ANIM"u8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Frame(first), .. Frame(second)];
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, chunks.Length);
        return [.. "RIFF"u8, .. length, .. chunks];

        byte[] Frame((byte R, byte G, byte B) colour)
        {
            byte[] body = [0, 0, 0, 0, 0, 0, .. size, 100, 0, 0, 0, .. Encode(Flat(edge, edge, colour), edge, edge, 3, "webpsave_buffer", ("lossless", true), ("keep", Enums.ForeignKeep.None))[12..]];
            return [.. "ANMF"u8, (byte)body.Length, (byte)(body.Length >> 8), 0, 0, .. body];
        }
    }

    /// <summary>Two frames of one colour each, one after the other.</summary>
    public static byte[] AnimatedGif(int width, int height, (byte R, byte G, byte B) first, (byte R, byte G, byte B) second)
    {
        var one = Encode(Flat(width, height, first), width, height, 3, "gifsave_buffer");
        var two = Encode(Flat(width, height, second), width, height, 3, "gifsave_buffer");
        // The second picture's frame, with the table of colours that it needs made its own, goes before the end mark.
        var table = 3 << ((two[10] & 7) + 1);
        var frame = 13 + table;
        while (two[frame] == 0x21)
        {
            frame += 2;
            while (two[frame] != 0)
                frame += two[frame] + 1;
            frame++;
        }
        var descriptor = two.AsSpan(frame, 10).ToArray();
        var localTable = (descriptor[9] & 0x80) != 0;
        if (!localTable)
            descriptor[9] |= (byte)(0x80 | (two[10] & 7));
        return [.. one[..^1], .. descriptor, .. localTable ? [] : two[13..(13 + table)], .. two[(frame + 10)..]];
    }

    /// <summary>A picture with no two quarters alike: a different gradient in each band.</summary>
    public static byte[] Pattern(int width, int height, int bands)
    {
        var pixels = new byte[width * height * bands];
        var i = 0;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var b = 0; b < bands; b++)
                {
                    pixels[i++] = b switch
                    {
                        0 => (byte)(255 * x / width),
                        1 => (byte)(255 * y / height),
                        2 => (byte)(255 * (x + y) / (width + height)),
                        _ => (byte)(x < width / 2 ? 0 : 255),
                    };
                }
            }
        }
        return pixels;
    }

    public static byte[] Flat(int width, int height, (byte R, byte G, byte B) colour)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i += 3)
            (pixels[i], pixels[i + 1], pixels[i + 2]) = colour;
        return pixels;
    }

    /// <summary>Puts EXIF with an orientation and a place on earth into a JPEG.</summary>
    public static byte[] WithExif(byte[] jpeg, int orientation)
    {
        byte[] tiff =
        [
            .. "MM\0*"u8, 0, 0, 0, 8,
            0, 2, // two entries
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, // orientation
            0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, // where the GPS entries are
            0, 0, 0, 0,
            0, 1, 0x00, 0x01, 0, 2, 0, 0, 0, 2, (byte)'N', 0, 0, 0, // GPS: north
            0, 0, 0, 0,
        ];
        byte[] body = [.. "Exif\0\0"u8, .. tiff];
        var length = body.Length + 2;
        return [0xFF, 0xD8, 0xFF, 0xE1, (byte)(length >> 8), (byte)length, .. body, .. jpeg[2..]];
    }

    /// <summary>A PNG that announces a size and carries none of its pixels.</summary>
    public static byte[] PngHeader(int width, int height)
    {
        byte[] size = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(size, width);
        BinaryPrimitives.WriteInt32BigEndian(size.AsSpan(4), height);
        return
        [
            0x89, .. "PNG\r\n"u8, 0x1A, 0x0A,
            .. Chunk("IHDR", [.. size, 8, 2, 0, 0, 0]),
            .. Chunk("IDAT", [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]),
            .. Chunk("IEND", []),
        ];
    }

    /// <summary>A PNG of 100 x 100 with other chunks before its pixels.</summary>
    public static byte[] PngWithChunks(string type, byte[] body, int count)
    {
        var png = Png(100, 100);
        const int header = 8 + 25; // signature, IHDR
        return [.. png[..header], .. Enumerable.Repeat(Chunk(type, body), count).SelectMany(b => b), .. png[header..]];
    }

    /// <summary>A progressive JPEG whose last scan comes again and again.</summary>
    public static byte[] JpegOfManyScans(int scans)
    {
        var jpeg = ProgressiveJpeg(64, 64);
        var last = jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        return [.. jpeg[..last], .. Enumerable.Repeat(jpeg[last..^2], scans).SelectMany(b => b), 0xFF, 0xD9];
    }

    /// <summary>A small JPEG that announces another size.</summary>
    public static byte[] JpegWithSize(int width, int height)
    {
        var jpeg = Jpeg(16, 16);
        for (var at = 2; ; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at + 2)))
        {
            if (jpeg[at + 1] is not (0xC0 or 0xC2))
                continue;
            BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 5), (ushort)height);
            BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 7), (ushort)width);
            return jpeg;
        }
    }

    private static byte[] Chunk(string type, byte[] body)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. body];
        var frame = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), Checksum(named));
        return [.. frame[..4], .. named, .. frame[4..]];
    }

    private static uint Checksum(byte[] bytes)
    {
        var sum = uint.MaxValue;
        foreach (var b in bytes)
        {
            sum ^= b;
            for (var bit = 0; bit < 8; bit++)
                sum = (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ 0xEDB88320;
        }
        return ~sum;
    }

    private static (string Name, object Value)[] Exact(string save) =>
        save switch { "webpsave_buffer" => [("lossless", true)], "jpegsave_buffer" => [("Q", 95)], _ => [] };

    private static byte[] Save(Image image, byte[]? profile, string operation, params (string Name, object Value)[] options)
    {
        if (profile is null)
            return Save(image, operation, options);
        using var profiled = image.Mutate(m => m.Set(GValue.BlobType, "icc-profile-data", profile));
        return Save(profiled, operation, options);
    }

    private static byte[] Save(Image image, string operation, params (string Name, object Value)[] options)
    {
        var kwargs = new VOption();
        foreach (var (name, value) in options)
            kwargs.Add(name, value);
        return (byte[])Operation.Call(operation, kwargs, image);
    }
}
