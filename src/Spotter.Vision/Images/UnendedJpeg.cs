using System.Security.Cryptography;
using NetVips;
using Spotter.Vision.LibVips;

namespace Spotter.Vision.Images;

/// <summary>
/// JPEGs without an end mark. The decoder makes up what is missing and says so in a warning, which of the last rows nobody gets.
/// So it is asked twice, with other bytes behind the file: they change no pixel if all of the picture is there.
/// </summary>
internal static class UnendedJpeg
{
    private const byte Mark = 0xFF;
    private const byte EndOfImage = 0xD9;
    private const int PaddingBytes = 64;

    /// <summary>The picture with an end mark; null when some of it is missing.</summary>
    /// <param name="jpeg">A picture whose scans have all begun (<see cref="PictureStructure.LacksEnd"/>).</param>
    public static byte[]? Mend(ReadOnlySpan<byte> jpeg)
    {
        // Half of a mark.
        var data = jpeg.TrimEnd(Mark);
        try
        {
            return Pixels(Padded(data, 0x00)).AsSpan().SequenceEqual(Pixels(Padded(data, 0x6D))) ? [.. data, Mark, EndOfImage] : null;
        }
        catch (VipsException)
        {
            return null;
        }
    }

    private static byte[] Padded(ReadOnlySpan<byte> data, byte padding)
    {
        var padded = new byte[data.Length + PaddingBytes + 2];
        data.CopyTo(padded);
        padded.AsSpan(data.Length, PaddingBytes).Fill(padding);
        (padded[^2], padded[^1]) = (Mark, EndOfImage);
        return padded;
    }

    /// <summary>A hash of all pixels.</summary>
    private static byte[] Pixels(byte[] jpeg)
    {
        using var image = Image.NewFromBuffer(jpeg, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
        using var rows = new VipsRows(image);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var top = 0; top < image.Height; top++)
        {
            using var row = rows.Read(top, 1);
            hash.AppendData(row.Row(0));
        }
        return hash.GetHashAndReset();
    }
}
