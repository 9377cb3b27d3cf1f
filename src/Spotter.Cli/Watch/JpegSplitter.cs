using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>
/// Cuts what ffmpeg writes into single JPEG files. Within those of its encoder the mark of an end stands only at the end: bytes that
/// look like it are stuffed in the pixels, and there is nothing embedded.
/// </summary>
/// <param name="mostBytes">Most bytes of one picture.</param>
internal sealed class JpegSplitter(int mostBytes)
{
    private static ReadOnlySpan<byte> End => [0xFF, 0xD9];

    private byte[] part = [];

    /// <summary>Takes in the next bytes; the pictures that are complete with them.</summary>
    /// <exception cref="SpotterException">A picture is too large.</exception>
    public IReadOnlyList<byte[]> Add(ReadOnlySpan<byte> bytes)
    {
        var pictures = new List<byte[]>();
        // The mark may be cut in two.
        var from = Math.Max(0, part.Length - 1);
        byte[] all = [.. part, .. bytes];
        var begin = 0;
        for (int end; (end = all.AsSpan(from).IndexOf(End)) >= 0;)
        {
            from += end + End.Length;
            pictures.Add(all[begin..from]);
            begin = from;
        }
        part = all[begin..];
        if (part.Length > mostBytes)
            throw new SpotterException(ErrorCodes.BodyTooLarge, $"A picture of the video has more than {mostBytes >> 20} MiB; have the camera send smaller ones.");
        return pictures;
    }
}
