using System.Buffers;
using Spotter.Vision;

namespace Spotter.Tests.Worker;

/// <summary>A picture as a run hands it over, without libvips.</summary>
internal sealed class MadePicture(byte[] content) : IMemoryOwner<byte>
{
    public Memory<byte> Memory { get; } = content;

    /// <summary>A picture of so many bytes.</summary>
    public static EncodedPicture Of(int bytes) => new(new MadePicture([.. Enumerable.Range(1, bytes).Select(b => (byte)b)]));

    public void Dispose()
    {
        // Nothing to give back.
    }
}
