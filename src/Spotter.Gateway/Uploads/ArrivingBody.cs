using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Uploads;

/// <summary>The body of an upload as it arrives. While nothing does, its place is another upload's: who sends a byte a second keeps nobody out.</summary>
/// <param name="body">The body.</param>
/// <param name="submission">Has the place.</param>
/// <param name="late">Ends the upload when it has taken too long.</param>
internal sealed class ArrivingBody(Stream body, Submission submission, CancellationToken late) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late, cancellationToken);
        try
        {
            return await submission.AwaitAsync(body.ReadAsync(buffer, either.Token), either.Token);
        }
        catch (OperationCanceledException end) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The upload took too long.", StatusCodes.Status408RequestTimeout, end);
        }
    }
}
