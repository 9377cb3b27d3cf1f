using System.Buffers;

namespace Spotter.Backends.S3;

/// <summary>
/// The part of a blob that is sent in one call, held in memory so that a call that fails can be made again. It takes no
/// more memory than it has bytes, in rented pieces.
/// </summary>
internal sealed class PartBuffer : Stream
{
    private const int PieceBytes = 256 * 1024;

    private readonly List<byte[]> pieces = [];
    private long length;
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => position = value;
    }

    /// <summary>Replaces what it holds by the next bytes of <paramref name="content"/>, at most <paramref name="most"/>.</summary>
    public async Task FillAsync(Stream content, int most, CancellationToken cancel)
    {
        (length, position) = (0, 0);
        while (length < most)
        {
            var index = (int)(length / PieceBytes);
            if (index == pieces.Count)
                pieces.Add(ArrayPool<byte>.Shared.Rent(PieceBytes));
            var wanted = (int)Math.Min(PieceBytes, most - length);
            var read = await content.ReadAtLeastAsync(pieces[index].AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancel);
            length += read;
            if (read < wanted)
                break;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (position >= length)
            return 0;
        var at = (int)(position % PieceBytes);
        var read = (int)Math.Min(Math.Min(buffer.Length, PieceBytes - at), length - position);
        pieces[(int)(position / PieceBytes)].AsSpan(at, read).CopyTo(buffer);
        position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => position,
        _ => length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            pieces.ForEach(piece => ArrayPool<byte>.Shared.Return(piece));
            pieces.Clear();
            length = 0;
        }
        base.Dispose(disposing);
    }
}
