using System.Buffers.Binary;
using Spotter.Core.Images;

namespace Spotter.Vision.Images;

/// <summary>
/// What decoding a picture will take, from its whole structure as the decoder walks it: nothing is decoded here, and what
/// lies between the marks is stepped over, so that it costs next to nothing however the file is made.
/// </summary>
/// <param name="Scans">For a JPEG: how often the decoder goes over the picture.</param>
/// <param name="Frames">For an animation: how many pictures the decoder makes a list of, although one is decoded.</param>
/// <param name="PackedNotes">For a PNG: bytes of compressed text and profiles, which grow a thousandfold and are unpacked before any pixel.</param>
/// <param name="BytesPerPixel">What the decoder holds of the whole picture at once, rounded up; 0 when it goes row by row.</param>
/// <param name="LacksEnd">For a JPEG: every component has all its scans, but there is no end mark. Whether the last scan is whole is not known.</param>
internal readonly record struct PictureStructure(int Scans, int Frames, long PackedNotes, int BytesPerPixel, bool LacksEnd = false)
{
    // libvips' reader of WebP holds the picture, what it was predicted from, and the canvas of an animation; that of GIF a
    // canvas, and rows of its own. Measured: 8.3 and 5.4 bytes for each of 100 million pixels of one colour.
    private const int WebPBytes = 9;
    private const int GifBytes = 6;

    /// <summary>Walks a picture whose first bytes say its format.</summary>
    public static PictureStructure Read(ImageFormat format, ReadOnlySpan<byte> bytes) => format switch
    {
        ImageFormat.Jpeg => ReadJpeg(bytes),
        ImageFormat.Png => ReadPng(bytes),
        ImageFormat.WebP => ReadWebP(bytes),
        _ => ReadGif(bytes),
    };

    /// <summary>As libjpeg: segments are stepped over by their length, and coded data ends at the first mark in it. What is behind the end mark is not looked at.</summary>
    private static PictureStructure ReadJpeg(ReadOnlySpan<byte> bytes)
    {
        const byte mark = 0xFF, endOfImage = 0xD9, startOfScan = 0xDA;
        var (scans, at, hasEnd) = (0, 2, false);
        var coverage = new ScanCoverage();
        while (at < bytes.Length)
        {
            var skipped = bytes[at..].IndexOf(mark);
            if (skipped < 0)
                break;
            at += skipped;
            var fill = bytes[at..].IndexOfAnyExcept(mark);
            if (fill < 0)
                break;
            at += fill;
            var code = bytes[at++];
            if (code is 0x00 or 0x01 or (>= 0xD0 and <= 0xD8))
                continue;
            hasEnd = code == endOfImage;
            if (hasEnd || bytes.Length - at < 2)
                break;
            int length = Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]));
            var segment = bytes[(at + 2)..Math.Max(at + 2, Math.Min(bytes.Length, at + length))];
            if (code == startOfScan)
            {
                scans++;
                coverage.AddScan(segment);
            }
            else if (code is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                coverage.AddFrame(segment, isProgressive: (code & 3) == 2);
            }
            at += length;
        }
        // Two bytes of each coefficient, of which there are as many as samples.
        return new(scans, 0, 0, coverage.IsProgressive || scans > 1 ? 2 * coverage.Components : 0, LacksEnd: !hasEnd && coverage.IsComplete);
    }

    private static PictureStructure ReadPng(ReadOnlySpan<byte> bytes)
    {
        const int frame = 12; // length, type, checksum
        var (at, packed) = (8L, 0L);
        var bytesPerPixel = 0;
        while (at + 8 <= bytes.Length)
        {
            var chunk = bytes[(int)at..];
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            var type = chunk[4..8];
            if (type.SequenceEqual("IEND"u8))
                break;
            var data = chunk[8..(int)Math.Min(chunk.Length, 8L + length)];
            if (type.SequenceEqual("IHDR"u8) && data is [_, _, _, _, _, _, _, _, var depth, var colour, _, _, not 0, ..])
                bytesPerPixel = Channels(colour) * (depth > 8 ? 2 : 1); // interlaced: all of it comes at the end
            else if (type.SequenceEqual("zTXt"u8) || type.SequenceEqual("iCCP"u8) || (type.SequenceEqual("iTXt"u8) && IsPacked(data)))
                packed += data.Length;
            at += frame + length;
        }
        return new(0, 0, packed, bytesPerPixel);

        static int Channels(byte colour) => colour switch { 0 => 1, 4 => 2, 2 => 3, _ => 4 };

        // A keyword, its end, and whether the text is compressed.
        static bool IsPacked(ReadOnlySpan<byte> text) => text.IndexOf((byte)0) is >= 0 and var end && end + 1 < text.Length && text[end + 1] != 0;
    }

    private static PictureStructure ReadWebP(ReadOnlySpan<byte> bytes)
    {
        var (at, frames) = (12L, 0);
        while (at + 8 <= bytes.Length)
        {
            var chunk = bytes[(int)at..];
            if (chunk.StartsWith("ANMF"u8))
                frames++;
            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            at += 8L + length + (length & 1);
        }
        return new(0, frames, 0, WebPBytes);
    }

    private static PictureStructure ReadGif(ReadOnlySpan<byte> bytes)
    {
        const byte extension = 0x21, imageDescriptor = 0x2C;
        var frames = 0;
        for (var at = bytes.Length < 13 ? bytes.Length : 13 + ColourTable(bytes[10]); at < bytes.Length;)
        {
            if (bytes[at] == imageDescriptor && at + 10 < bytes.Length)
            {
                frames++;
                at += 10 + ColourTable(bytes[at + 9]) + 1;
            }
            else if (bytes[at] == extension)
            {
                at += 2;
            }
            else
            {
                break;
            }
            while (at < bytes.Length && bytes[at] != 0)
                at += bytes[at] + 1;
            at++;
        }
        return new(0, frames, 0, GifBytes);

        static int ColourTable(byte packed) => (packed & 0x80) == 0 ? 0 : 3 << ((packed & 7) + 1);
    }
}
