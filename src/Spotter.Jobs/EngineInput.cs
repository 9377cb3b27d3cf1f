using System.Runtime.InteropServices;

namespace Spotter.Jobs;

/// <summary>
/// An input as it was fetched: in memory, or in a file for engines whose inputs are too large for that
/// (<see cref="EngineLimits.InputsAsFiles"/>).
/// </summary>
public sealed class EngineInput
{
    private readonly ReadOnlyMemory<byte>? bytes;
    private readonly string? file;

    /// <summary>An input in memory, which is borrowed.</summary>
    public EngineInput(ReadOnlyMemory<byte> bytes) => this.bytes = bytes;

    /// <summary>An input in a file.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="sha256">The hash of its bytes, as in <see cref="InputRef.Sha256"/>.</param>
    public EngineInput(string file, string sha256) => (this.file, Sha256) = (file, sha256);

    /// <summary>The bytes of an input in memory.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes ?? throw new InvalidOperationException("The input is in a file: its engine asks for that.");

    /// <summary>The path of an input in a file.</summary>
    public string File => file ?? throw new InvalidOperationException("The input is in memory: its engine does not ask for files.");

    /// <summary>The hash of an input in a file, taken as it was written; null for one in memory.</summary>
    public string? Sha256 { get; }

    /// <summary>The bytes from their start, wherever they are. For large inputs: they are read once, in order.</summary>
    public Stream Open() => file is not null
        ? new FileStream(file, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 64 * 1024 })
        : MemoryMarshal.TryGetArray(Bytes, out var array) ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false) : new MemoryStream(Bytes.ToArray(), writable: false);
}
