using Spotter.Core;

namespace Spotter.Tests.Images;

/// <summary>Random bytes that a test can make again.</summary>
internal static class Bytes
{
    public static byte[] Random(int length, int seed)
    {
        var bytes = new byte[length];
        RandomSource.Seeded(seed).Fill(bytes);
        return bytes;
    }
}

/// <summary>A sender that gives half of its bytes, and the rest when it is told to.</summary>
internal sealed class PausingStream(byte[] bytes) : MemoryStream(bytes, writable: false)
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once half of it has been read.</summary>
    public Task Reached => reached.Task;

    public void Continue() => go.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var half = Length / 2;
        if (Position < half)
            return await base.ReadAsync(buffer[..(int)Math.Min(buffer.Length, half - Position)], cancellationToken);
        reached.TrySetResult();
        await go.Task.WaitAsync(cancellationToken);
        return await base.ReadAsync(buffer, cancellationToken);
    }
}
