using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Spotter.Gateway.Intake;

/// <summary>
/// Memory for connections in pieces that suit pictures. Kestrel's own pieces of 4 KiB cost a system call each: more
/// than a hundred for one photo in, and as many out to its worker.
/// </summary>
internal sealed class PictureMemoryPool : MemoryPool<byte>
{
    private const int PieceBytes = 64 * 1024;

    // What is kept beyond this many pieces (16 MiB) after a burst is left to the garbage collector.
    private const int MostKept = 256;

    private readonly ConcurrentBag<byte[]> kept = [];
    private int keptCount;

    public override int MaxBufferSize => PieceBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, PieceBytes);
        if (!kept.TryTake(out var piece))
            return new Piece(this, GC.AllocateUninitializedArray<byte>(PieceBytes, pinned: true));
        Interlocked.Decrement(ref keptCount);
        return new Piece(this, piece);
    }

    protected override void Dispose(bool disposing) => kept.Clear();

    private void Return(byte[] piece)
    {
        if (Interlocked.Increment(ref keptCount) <= MostKept)
            kept.Add(piece);
        else
            Interlocked.Decrement(ref keptCount);
    }

    /// <summary>Gives every transport its pool.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new PictureMemoryPool();
    }

    private sealed class Piece(PictureMemoryPool pool, byte[] piece) : IMemoryOwner<byte>
    {
        private byte[]? owned = piece;

        public Memory<byte> Memory => owned ?? throw new ObjectDisposedException(nameof(Piece));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref owned, null) is { } returned)
                pool.Return(returned);
        }
    }
}
