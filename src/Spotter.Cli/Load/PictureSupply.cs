using Spotter.Cli.Detect;
using Spotter.Core;

namespace Spotter.Cli.Load;

/// <summary>The pictures of a folder, one after the other and again from the start; read once as far as memory for them goes.</summary>
internal sealed class PictureSupply
{
    private const long MostBytesKept = 256L << 20;

    private readonly IReadOnlyList<string> files;
    private readonly byte[]?[] kept;
    private long bytesKept;

    /// <param name="folder">The folder, or one picture.</param>
    /// <exception cref="SpotterException">There is no picture.</exception>
    public PictureSupply(string folder)
    {
        files = PictureList.Of([folder], output: null);
        if (files.Any(Directory.Exists))
            throw new SpotterException(ErrorCodes.NotFound, $"{folder} holds no .jpg, .png, .webp or .gif file; name another folder with --images.");
        if (files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
            throw new SpotterException(ErrorCodes.NotFound, $"There is no folder {missing}; name one with --images.");
        kept = new byte[]?[files.Count];
    }

    /// <summary>The picture of a request.</summary>
    /// <exception cref="SpotterException">It can't be read.</exception>
    public ReadOnlyMemory<byte> Get(int number)
    {
        var index = number % files.Count;
        if (Volatile.Read(ref kept[index]) is { } known)
            return known;
        try
        {
            var bytes = File.ReadAllBytes(files[index]);
            if (Interlocked.Add(ref bytesKept, bytes.Length) <= MostBytesKept)
                Volatile.Write(ref kept[index], bytes);
            return bytes;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The picture {files[index]} can't be read: {unreadable.Message}", unreadable);
        }
    }
}
