using System.Buffers.Binary;
using System.IO.Compression;

namespace Spotter.Examples.Engines.Frames;

/// <summary>Small pictures of frames beside and below each other, as one PNG.</summary>
internal sealed class ContactSheet
{
    /// <summary>Most frames that are shown.</summary>
    public const int MostFrames = Columns * Columns;

    private const int Columns = 8;
    private const int Edge = 128;
    private const int Row = 1 + (3 * Edge * Columns);

    private readonly List<byte[]> pictures = [];

    /// <summary>Adds the present frame of a video, while there is room.</summary>
    public void Add(Y4mReader video)
    {
        if (pictures.Count == MostFrames)
            return;
        var scale = (double)Edge / Math.Max(video.Width, video.Height);
        var (width, height) = (Math.Max(1, (int)(video.Width * scale)), Math.Max(1, (int)(video.Height * scale)));
        var picture = new byte[3 * Edge * Edge];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = 3 * ((y * Edge) + x);
                (picture[at], picture[at + 1], picture[at + 2]) = video.ColourAt(x * video.Width / width, y * video.Height / height);
            }
        }
        pictures.Add(picture);
    }

    /// <summary>Writes what has been added.</summary>
    public void Write(Stream png)
    {
        var lines = Math.Max(1, (pictures.Count + Columns - 1) / Columns);
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, Edge * Columns);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), Edge * lines);
        // Eight bits each of red, green and blue.
        (head[8], head[9]) = (8, 2);
        WriteChunk(png, "IHDR"u8, head);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var row = new byte[Row];
            for (var y = 0; y < Edge * lines; y++)
            {
                row.AsSpan().Clear();
                for (var column = 0; column < Columns && ((y / Edge * Columns) + column is var index) && index < pictures.Count; column++)
                    pictures[index].AsSpan(3 * Edge * (y % Edge), 3 * Edge).CopyTo(row.AsSpan(1 + (3 * Edge * column)));
                zlib.Write(row);
            }
        }
        WriteChunk(png, "IDAT"u8, packed.ToArray());
        WriteChunk(png, "IEND"u8, []);
    }

    private static void WriteChunk(Stream png, ReadOnlySpan<byte> kind, byte[] content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(kind);
        png.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Checksum([.. kind, .. content]));
        png.Write(number);
    }

    /// <summary>CRC-32 as PNG has it.</summary>
    private static uint Checksum(byte[] bytes)
    {
        var sum = uint.MaxValue;
        foreach (var one in bytes)
        {
            sum ^= one;
            for (var bit = 0; bit < 8; bit++)
                sum = (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ 0xEDB88320;
        }
        return ~sum;
    }
}
