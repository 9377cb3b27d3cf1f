using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Spotter.EndToEnd.Harness;

/// <summary>Small pictures of one shade, written by hand so that the tests need no files.</summary>
internal static class Pictures
{
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A PNG of one shade.</summary>
    /// <param name="shade">0 to 255.</param>
    /// <param name="channels">1 grey, 3 RGB, 4 RGBA.</param>
    public static byte[] Png(byte shade, int width = 64, int height = 64, int channels = 3)
    {
        var rows = new byte[height * (1 + (width * channels))];
        for (var y = 0; y < height; y++)
        {
            var row = rows.AsSpan(y * (1 + (width * channels)) + 1, width * channels);
            row.Fill(shade);
            for (var x = 3; channels == 4 && x < row.Length; x += 4)
                row[x] = 255;
        }
        using var png = new MemoryStream();
        png.Write(Signature);
        Chunk(png, "IHDR", PngHeader(width, height, channels));
        Chunk(png, "IDAT", Deflate(rows));
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>A PNG of one colour.</summary>
    public static byte[] Colour(byte red, byte green, byte blue)
    {
        var rows = new byte[64 * (1 + (64 * 3))];
        for (var i = 0; i < 64 * 64; i++)
            ((byte[])[red, green, blue]).CopyTo(rows, (i / 64 * (1 + (64 * 3))) + 1 + (i % 64 * 3));
        using var png = new MemoryStream();
        png.Write(Signature);
        Chunk(png, "IHDR", PngHeader(64, 64, channels: 3));
        Chunk(png, "IDAT", Deflate(rows));
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>The beginning of a PNG that says it is so large, and nothing after it.</summary>
    public static byte[] PngHeaderOnly(int width, int height, bool interlaced = false)
    {
        using var png = new MemoryStream();
        png.Write(Signature);
        var header = PngHeader(width, height, channels: 3);
        header[^1] = (byte)(interlaced ? 1 : 0);
        Chunk(png, "IHDR", header);
        return png.ToArray();
    }

    /// <summary>A white PNG of 64 by 64 with other chunks before its pixels, or other pixels.</summary>
    /// <param name="idat">Packed pixels; null for those that it should have.</param>
    /// <param name="chunks">Types and contents.</param>
    public static byte[] PngWith(byte[]? idat = null, params (string Type, byte[] Content)[] chunks)
    {
        using var png = new MemoryStream();
        png.Write(Signature);
        Chunk(png, "IHDR", PngHeader(64, 64, channels: 1));
        foreach (var (type, content) in chunks)
            Chunk(png, type, content);
        Chunk(png, "IDAT", idat ?? Deflate([.. Enumerable.Range(0, 64 * 65).Select(i => (byte)(i % 65 == 0 ? 0 : 255))]));
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>A JPEG of one shade: flat blocks need only their first coefficient.</summary>
    /// <param name="shade">0 to 255.</param>
    /// <param name="components">1 grey, 3 YCbCr, 4 CMYK as Adobe stores it (inverted).</param>
    /// <param name="exif">An EXIF segment to carry; null for none.</param>
    public static byte[] Jpeg(byte shade, int width = 64, int height = 64, int components = 1, byte[]? exif = null)
    {
        using var jpeg = new MemoryStream();
        jpeg.Write([0xFF, 0xD8]);
        if (exif is not null)
            Segment(jpeg, 0xE1, exif);
        if (components == 4)
            Segment(jpeg, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]);
        Segment(jpeg, 0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]);
        var frame = new byte[6 + (3 * components)];
        frame[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(3), (ushort)width);
        frame[5] = (byte)components;
        for (var c = 0; c < components; c++)
            (frame[6 + (3 * c)], frame[7 + (3 * c)], frame[8 + (3 * c)]) = ((byte)(c + 1), 0x11, 0);
        Segment(jpeg, 0xC0, frame);
        // Twelve lengths of difference in codes of four bits; end of block in one bit.
        Segment(jpeg, 0xC4, [0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        Segment(jpeg, 0xC4, [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        var scan = new List<byte> { (byte)components };
        for (var c = 0; c < components; c++)
            scan.AddRange([(byte)(c + 1), 0]);
        Segment(jpeg, 0xDA, [.. scan, 0, 63, 0]);
        WriteBlocks(jpeg, shade, ((width + 7) / 8) * ((height + 7) / 8), components);
        jpeg.Write([0xFF, 0xD9]);
        return jpeg.ToArray();
    }

    /// <summary>An EXIF segment with an orientation, a maker and a place on earth.</summary>
    public static byte[] Exif(int orientation, string maker)
    {
        var text = Encoding.ASCII.GetBytes(maker + "\0");
        var tiff = new byte[8 + 2 + (3 * 12) + 4 + text.Length + 2 + 12 + 4];
        "MM\0*"u8.CopyTo(tiff);
        BinaryPrimitives.WriteUInt32BigEndian(tiff.AsSpan(4), 8);
        BinaryPrimitives.WriteUInt16BigEndian(tiff.AsSpan(8), 3);
        const int textAt = 10 + 36 + 4;
        Entry(tiff.AsSpan(10), 0x010F, 2, text.Length, textAt);
        Entry(tiff.AsSpan(22), 0x0112, 3, 1, orientation << 16);
        Entry(tiff.AsSpan(34), 0x8825, 4, 1, textAt + text.Length);
        text.CopyTo(tiff, textAt);
        BinaryPrimitives.WriteUInt16BigEndian(tiff.AsSpan(textAt + text.Length), 1);
        Entry(tiff.AsSpan(textAt + text.Length + 2), 0x0001, 2, 2, ('N' << 24));
        return [.. "Exif\0\0"u8, .. tiff];
    }

    /// <summary>An animation whose frames have these shades.</summary>
    public static byte[] Gif(int width, int height, params byte[] shades)
    {
        using var gif = new MemoryStream();
        gif.Write("GIF89a"u8);
        gif.Write([(byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), 0xF6, 0, 0]);
        // 128 colours, so that codes of eight bits hold a colour each until the dictionary is cleared.
        for (var i = 0; i < 128; i++)
            gif.Write([(byte)(2 * i), (byte)(2 * i), (byte)(2 * i)]);
        foreach (var shade in shades)
        {
            gif.Write([0x21, 0xF9, 4, 0, 10, 0, 0, 0]);
            gif.Write([0x2C, 0, 0, 0, 0, (byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), 0, 7]);
            var codes = new List<byte>();
            for (var pixel = 0; pixel < width * height; pixel++)
            {
                if (pixel % 100 == 0)
                    codes.Add(0x80);
                codes.Add((byte)(shade / 2));
            }
            codes.Add(0x81);
            foreach (var block in codes.Chunk(255))
            {
                gif.WriteByte((byte)block.Length);
                gif.Write(block);
            }
            gif.WriteByte(0);
        }
        gif.WriteByte(0x3B);
        return gif.ToArray();
    }

    private static void WriteBlocks(MemoryStream jpeg, byte shade, int blocks, int components)
    {
        int bits = 0, count = 0;
        void Put(int value, int length)
        {
            for (var i = length - 1; i >= 0; i--)
            {
                bits = (bits << 1) | ((value >> i) & 1);
                if (++count < 8)
                    continue;
                jpeg.WriteByte((byte)bits);
                if (bits == 0xFF)
                    jpeg.WriteByte(0);
                (bits, count) = (0, 0);
            }
        }

        // Colour channels are in the middle, where grey is; of CMYK only black is not zero, stored inverted.
        int Level(int component) => components == 4 ? (component == 3 ? shade : 255) : component == 0 ? shade : 128;
        for (var block = 0; block < blocks; block++)
        {
            for (var component = 0; component < components; component++)
            {
                var difference = block == 0 ? (Level(component) - 128) * 8 : 0;
                var length = 32 - int.LeadingZeroCount(Math.Abs(difference));
                Put(length, 4);
                Put(difference < 0 ? difference + (1 << length) - 1 : difference, length);
                Put(0, 1);
            }
        }
        if (count > 0)
            Put((1 << (8 - count)) - 1, 8 - count);
    }

    private static void Entry(Span<byte> at, int tag, int type, int count, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(at, (ushort)tag);
        BinaryPrimitives.WriteUInt16BigEndian(at[2..], (ushort)type);
        BinaryPrimitives.WriteInt32BigEndian(at[4..], count);
        BinaryPrimitives.WriteInt32BigEndian(at[8..], value);
    }

    private static void Segment(MemoryStream jpeg, byte marker, byte[] content)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(content.Length + 2));
        jpeg.Write([0xFF, marker]);
        jpeg.Write(length);
        jpeg.Write(content);
    }

    private static byte[] PngHeader(int width, int height, int channels)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = channels switch { 1 => 0, 3 => 2, _ => 6 };
        return header;
    }

    private static byte[] Deflate(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(data);
        return packed.ToArray();
    }

    private static void Chunk(MemoryStream png, string type, byte[] content)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. content];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Checksum(body));
        png.Write(number);
    }

    private static uint Checksum(byte[] bytes)
    {
        var sum = 0xFFFFFFFFu;
        foreach (var value in bytes)
        {
            sum ^= value;
            for (var bit = 0; bit < 8; bit++)
                sum = (sum >> 1) ^ ((sum & 1) * 0xEDB88320u);
        }
        return ~sum;
    }
}
