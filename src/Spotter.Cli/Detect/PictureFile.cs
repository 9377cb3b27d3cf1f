using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Core.Images;

namespace Spotter.Cli.Detect;

/// <summary>Reads a picture that a user named, which may be anything.</summary>
internal static class PictureFile
{
    /// <summary>Longest file in bytes that is read; what is longer is no photo, or has no end.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>The bytes of a picture whose header was let in.</summary>
    /// <exception cref="SpotterException">With the code of what is wrong with it.</exception>
    public static ReadOnlyMemory<byte> Read(string path, ImageLimits limits)
    {
        var bytes = ReadAll(path);
        if (bytes.Length == 0)
            throw new SpotterException(ErrorCodes.EmptyBody, "The file is empty; copy it again.");
        return ImageHeader.Read(bytes.Span, complete: bytes.Length <= ImageHeader.LongestPrefix).Refusal(limits) is { } refusal
            ? throw refusal
            : bytes;
    }

    private static ReadOnlyMemory<byte> ReadAll(string path)
    {
        if (Directory.Exists(path))
            throw new SpotterException(ErrorCodes.NotFound, "The folder holds no .jpg, .png, .webp or .gif file; name another one.");
        try
        {
            using var file = RegularFile.Open(path, bufferSize: 0);
            using var content = new MemoryStream(file.CanSeek ? (int)Math.Min(file.Length, MaxBytes) : 0);
            var part = new byte[1 << 16];
            for (int read; (read = file.Read(part)) > 0;)
            {
                if (content.Length + read > MaxBytes)
                    throw new SpotterException(ErrorCodes.BodyTooLarge, $"The file has more than {MaxBytes} bytes; name a smaller one.");
                content.Write(part, 0, read);
            }
            return content.GetBuffer().AsMemory(0, (int)content.Length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SpotterException(ErrorCodes.NotFound, "There is no such file; check its name.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The file can't be read: {e.Message}", e);
        }
    }
}
