using System.Buffers;

namespace Spotter.Vision;

/// <summary>An encoded picture where the encoder left it, so that none of it is copied. Not to be read once disposed of.</summary>
/// <param name="owner">Whose memory it is; disposed of with the picture.</param>
public sealed class EncodedPicture(IMemoryOwner<byte> owner) : IMemoryOwner<byte>
{
    /// <summary>The file's bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => owner.Memory;

    /// <inheritdoc/>
    Memory<byte> IMemoryOwner<byte>.Memory => owner.Memory;

    /// <inheritdoc/>
    public void Dispose() => owner.Dispose();
}
