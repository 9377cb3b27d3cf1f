using System.Buffers;

namespace Spotter.Jobs;

/// <summary>Something that an engine made: in the memory of whoever made it, so that none of it is copied, or in a file.</summary>
public sealed class EngineOutput : IDisposable
{
    private readonly IMemoryOwner<byte>? memory;

    /// <summary>An output in memory, which is given back with it.</summary>
    public EngineOutput(IMemoryOwner<byte> memory) => this.memory = memory;

    /// <summary>An output in a file, which is deleted with it.</summary>
    public EngineOutput(string file) => File = file;

    /// <summary>The bytes of an output in memory; not to be read once it is disposed of.</summary>
    public ReadOnlyMemory<byte> Bytes => memory?.Memory ?? throw new InvalidOperationException("The output is in a file.");

    /// <summary>The path of an output in a file; null when it is in memory.</summary>
    public string? File { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory?.Dispose();
        if (File is not null)
            System.IO.File.Delete(File);
    }
}
