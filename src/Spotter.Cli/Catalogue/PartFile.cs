using System.Security.Cryptography;
using Spotter.Backends.Local;

namespace Spotter.Cli.Catalogue;

/// <summary>
/// The beginning of a file whose rest is still to come, <c>NAME.onnx.part</c>. Beside it lies <c>NAME.onnx.part.from</c>:
/// which bytes it is the beginning of, and the tag that the server gave them.
/// </summary>
internal sealed class PartFile : IDisposable
{
    private readonly string path;
    private readonly string sha256;
    private readonly FileStream file;
    private IncrementalHash hash;

    private PartFile(string path, string sha256, FileStream file) =>
        (this.path, this.sha256, this.file, hash) = (path, sha256, file, IncrementalHash.CreateHash(HashAlgorithmName.SHA256));

    /// <summary>How much is there.</summary>
    public long Length => file.Length;

    /// <summary>The tag of the version that it is the beginning of; null when the server gave none.</summary>
    public string? Tag { get; private set; }

    private string Origin => path + ".from";

    /// <summary>Opens the part of a file, or begins it.</summary>
    /// <param name="final">The file that it is to become.</param>
    /// <param name="sha256">The hash that the whole will have.</param>
    /// <param name="bytes">The length that the whole will have.</param>
    public static PartFile Open(string final, string sha256, long bytes)
    {
        var name = final + ".part";
        // On Windows a file that is to be renamed while it is open has to be shared for that.
        var share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;
        var opened = new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, share, bufferSize: 0);
        var part = new PartFile(name, sha256, opened);
        try
        {
            part.Adopt(bytes);
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>Drops what is there, to begin with the bytes of another version.</summary>
    /// <param name="tag">The tag of that version; null when the server gives none.</param>
    public void Restart(string? tag)
    {
        if (file.Length > 0)
            file.SetLength(0);
        file.Position = 0;
        hash.Dispose();
        hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Tag = tag;
        File.WriteAllLines(Origin, [sha256, tag ?? ""]);
    }

    /// <summary>Adds what comes next.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await file.WriteAsync(bytes, cancel);
        hash.AppendData(bytes.Span);
    }

    /// <summary>The SHA-256 of what is there, in hexadecimal.</summary>
    public string Hash() => Convert.ToHexStringLower(hash.GetCurrentHash());

    /// <summary>Gives the file its final name; from then on it is there, whatever happens to the machine.</summary>
    /// <param name="final">The name.</param>
    public void Publish(string final)
    {
        file.Flush(flushToDisk: true);
        File.Move(path, final, overwrite: true);
        File.Delete(Origin);
        DurableFiles.SyncFolder(Path.GetDirectoryName(final)!);
    }

    /// <summary>Leaves nothing behind.</summary>
    public void Delete()
    {
        File.Delete(path);
        File.Delete(Origin);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        hash.Dispose();
    }

    // What is there counts only if it is known to be the beginning of the same bytes.
    private void Adopt(long bytes)
    {
        if (file.Length == 0)
            return;
        var origin = File.Exists(Origin) ? File.ReadAllLines(Origin) : [];
        if (origin is not [var whole, var tag, ..] || !string.Equals(whole, sha256, StringComparison.OrdinalIgnoreCase) || file.Length > bytes)
        {
            file.SetLength(0);
            return;
        }
        Tag = tag.Length == 0 ? null : tag;
        var piece = new byte[1 << 20];
        for (int read; (read = file.Read(piece)) > 0;)
            hash.AppendData(piece, 0, read);
    }
}
