using Amazon.S3.Model;
using Spotter.Core;

namespace Spotter.Backends.S3;

/// <summary>
/// A blob as it comes from the server. It ends after as many bytes as the server has said, or throws: a connection that
/// is cut, or gives nothing for too long, must not look like a shorter picture.
/// </summary>
internal sealed class BlobReader(GetObjectResponse response, S3Settings settings, S3Faults faults, TimeProvider clock) : ForwardStream
{
    private readonly CancellationTokenSource idle = new(Timeout.InfiniteTimeSpan, clock);
    private long position;

    public override long Length => response.ContentLength;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (buffer.Length == 0 || position == Length)
            return 0;
        int read;
        try
        {
            idle.CancelAfter(settings.Patience);
            await using var given = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), idle);
            read = await response.ResponseStream.ReadAsync(buffer, idle.Token);
            idle.CancelAfter(Timeout.InfiniteTimeSpan);
        }
        catch (Exception e) when (S3Faults.IsFault(e) && !cancellationToken.IsCancellationRequested)
        {
            throw idle.IsCancellationRequested ? faults.TooSlow("go on reading from", e) : CutOff(e);
        }
        if (read == 0)
            throw CutOff(cause: null);
        position += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
            idle.Dispose();
        }
        base.Dispose(disposing);
    }

    private SpotterException CutOff(Exception? cause) => new(
        ErrorCodes.StoreUnavailable, $"The connection to bucket {settings.Bucket} was cut after {position} of {Length} bytes; try again.", cause);
}
