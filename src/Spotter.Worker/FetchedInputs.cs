using System.Buffers;
using Spotter.Engines;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>
/// The inputs of one job on this machine: in borrowed memory, or in files where the engine's are too large for that.
/// Dispose of them when the job has run.
/// </summary>
internal sealed class FetchedInputs : IDisposable
{
    private readonly List<byte[]> buffers = [];
    private readonly List<string> files = [];
    private readonly List<EngineInput> inputs = [];

    public IReadOnlyList<EngineInput> All => inputs;

    /// <summary>Fetches one more.</summary>
    public async Task AddAsync(IJobSource source, InputRef input, ScratchFolder? folder, CancellationToken cancel)
    {
        await using var content = await source.OpenInputAsync(input, cancel);
        if (folder is null)
        {
            var size = (int)Math.Min(input.Bytes, Array.MaxLength);
            buffers.Add(ArrayPool<byte>.Shared.Rent(size));
            var read = await content.ReadAtLeastAsync(buffers[^1].AsMemory(0, size), size, throwOnEndOfStream: false, cancel);
            inputs.Add(new EngineInput(buffers[^1].AsMemory(0, read)));
            return;
        }
        files.Add(folder.NewFile());
        await using (var file = new FileStream(files[^1], FileMode.CreateNew))
            await content.CopyToAsync(file, cancel);
        inputs.Add(new EngineInput(files[^1]));
    }

    public void Dispose()
    {
        buffers.ForEach(buffer => ArrayPool<byte>.Shared.Return(buffer));
        files.ForEach(File.Delete);
    }
}
