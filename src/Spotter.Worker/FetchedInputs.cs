using System.Buffers;
using System.Security.Cryptography;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>
/// The inputs of one job on this machine: in borrowed memory, or in files where the engine's are too large for that.
/// Dispose of them when the job has run.
/// </summary>
internal sealed class FetchedInputs : IDisposable
{
    private const int PieceBytes = 128 * 1024;

    private readonly List<byte[]> buffers = [];
    private readonly List<string> files = [];
    private readonly List<EngineInput> inputs = [];

    public IReadOnlyList<EngineInput> All => inputs;

    /// <summary>Fetches one more.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="started">The job.</param>
    /// <param name="input">Which.</param>
    /// <param name="folder">The folder of the job, for a file; null for memory.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task AddAsync(IJobSource source, StartedJob started, InputRef input, JobFolder? folder, CancellationToken cancel)
    {
        await using var content = await source.OpenInputAsync(started, input, cancel);
        if (folder is null)
        {
            var size = (int)Math.Min(input.Bytes, Array.MaxLength);
            buffers.Add(ArrayPool<byte>.Shared.Rent(size));
            var read = await content.ReadAtLeastAsync(buffers[^1].AsMemory(0, size), size, throwOnEndOfStream: false, cancel);
            inputs.Add(new EngineInput(buffers[^1].AsMemory(0, read)));
            return;
        }
        files.Add(folder.NewFile());
        inputs.Add(new EngineInput(files[^1], await WriteAsync(content, files[^1], cancel)));
    }

    public void Dispose()
    {
        buffers.ForEach(buffer => ArrayPool<byte>.Shared.Return(buffer));
        files.ForEach(File.Delete);
    }

    /// <summary>Hashes what it writes, so that a large file need not be read twice.</summary>
    private static async Task<string> WriteAsync(Stream content, string path, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (await content.ReadAsync(piece, cancel) is > 0 and var read)
            {
                hash.AppendData(piece, 0, read);
                await file.WriteAsync(piece.AsMemory(0, read), cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
