using System.Globalization;
using System.Text;
using Spotter.Core;

namespace Spotter.Examples.Engines.Frames;

/// <summary>
/// Reads YUV4MPEG2, the simplest video there is: a line that says what comes, then the pixels of each frame as they are.
/// Holds one frame at a time, however long the video is.
/// </summary>
internal sealed class Y4mReader
{
    private const int LongestLine = 256;
    private const int LongestEdge = 8192;

    private readonly Stream video;

    /// <summary>Reads the first line.</summary>
    /// <exception cref="SpotterException">It is no such video, or larger than is read here.</exception>
    public Y4mReader(Stream video)
    {
        this.video = video;
        var words = (ReadLine() ?? throw Damaged("has no first line")).Split(' ');
        if (words[0] != "YUV4MPEG2")
            throw new SpotterException(ErrorCodes.UnsupportedMedia, "The file is no YUV4MPEG2 video (.y4m); make one with: ffmpeg -i VIDEO -pix_fmt yuv420p VIDEO.y4m");
        var colour = "420";
        foreach (var word in words.Skip(1).Where(w => w.Length > 1))
        {
            switch (word[0])
            {
                case 'W':
                    Width = Edge(word);
                    break;
                case 'H':
                    Height = Edge(word);
                    break;
                case 'F':
                    FramesPerSecond = Rate(word);
                    break;
                case 'C':
                    colour = word[1..];
                    break;
            }
        }
        if (Width == 0 || Height == 0)
            throw Damaged("does not say how large its frames are");
        (ChromaWidth, ChromaHeight) = colour switch
        {
            "420" or "420jpeg" or "420mpeg2" or "420paldv" => ((Width + 1) / 2, (Height + 1) / 2),
            "422" => ((Width + 1) / 2, Height),
            "444" => (Width, Height),
            "mono" => (0, 0),
            _ => throw new SpotterException(ErrorCodes.UnsupportedMedia, "The video's pixels are none of 420, 422, 444 and mono with 8 bits; convert it with: ffmpeg -i VIDEO -pix_fmt yuv420p VIDEO.y4m"),
        };
        Frame = new byte[(Width * Height) + (2 * ChromaWidth * ChromaHeight)];
    }

    /// <summary>In pixels.</summary>
    public int Width { get; }

    /// <summary>In pixels.</summary>
    public int Height { get; }

    /// <summary>Of the planes of colour; 0 when there are none.</summary>
    public int ChromaWidth { get; }

    /// <summary>Of the planes of colour; 0 when there are none.</summary>
    public int ChromaHeight { get; }

    /// <summary>25 when the video does not say.</summary>
    public double FramesPerSecond { get; } = 25;

    /// <summary>The present frame: the plane of brightness, then those of colour.</summary>
    public byte[] Frame { get; }

    /// <summary>The brightness of the present frame, row by row.</summary>
    public ReadOnlySpan<byte> Brightness => Frame.AsSpan(0, Width * Height);

    /// <summary>Reads the next frame; false at the end.</summary>
    /// <exception cref="SpotterException">The video ends within a frame.</exception>
    public bool Read()
    {
        if (ReadLine() is not { } line)
            return false;
        if (line != "FRAME" && !line.StartsWith("FRAME ", StringComparison.Ordinal))
            throw Damaged("has something else where a frame should begin");
        if (video.ReadAtLeast(Frame, Frame.Length, throwOnEndOfStream: false) < Frame.Length)
            throw Damaged("ends within a frame");
        return true;
    }

    /// <summary>The colour of a pixel of the present frame.</summary>
    public (byte Red, byte Green, byte Blue) ColourAt(int x, int y)
    {
        double brightness = Frame[(y * Width) + x];
        if (ChromaWidth == 0)
            return (Byte(brightness), Byte(brightness), Byte(brightness));
        var chroma = (Width * Height) + (y * ChromaHeight / Height * ChromaWidth) + (x * ChromaWidth / Width);
        var (blueness, redness) = (Frame[chroma] - 128.0, Frame[chroma + (ChromaWidth * ChromaHeight)] - 128.0);
        return (Byte(brightness + (1.402 * redness)), Byte(brightness - (0.344 * blueness) - (0.714 * redness)), Byte(brightness + (1.772 * blueness)));
    }

    /// <summary>A line without its end; null when nothing is left.</summary>
    private string? ReadLine()
    {
        var line = new StringBuilder();
        while (true)
        {
            var one = video.ReadByte();
            if (one < 0 && line.Length == 0)
                return null;
            if (one == '\n')
                return line.ToString();
            if (one < 0 || line.Length == LongestLine)
                throw Damaged("has a line without an end");
            line.Append((char)one);
        }
    }

    private static int Edge(string word) =>
        int.TryParse(word.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var pixels) && pixels is > 0 and <= LongestEdge
            ? pixels
            : throw Damaged($"has frames that are not 1 to {LongestEdge} pixels wide and high");

    private static double Rate(string word) =>
        word[1..].Split(':') is [var frames, var seconds]
        && int.TryParse(frames, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var s) && n > 0 && s > 0
            ? (double)n / s
            : throw Damaged("does not say how many frames a second has");

    private static byte Byte(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    private static SpotterException Damaged(string what) => new(ErrorCodes.ImageInvalid, $"The video {what}; make it again and send that.");
}
