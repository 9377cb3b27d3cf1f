using Spotter.Core;

namespace Spotter.Gateway.Fetching;

/// <summary>The bytes of an answer. A server that goes away, or takes too long, is no fault of whoever reads.</summary>
internal sealed class FetchedContent(HttpResponseMessage response, Stream content, FetchTime time, string server) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken);
        try
        {
            return await content.ReadAsync(buffer, either.Token);
        }
        catch (Exception failed) when (!cancellationToken.IsCancellationRequested && failed is HttpRequestException or IOException or OperationCanceledException)
        {
            throw time.Refusal(server, failed);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await content.DisposeAsync();
        response.Dispose();
        time.Dispose();
        await base.DisposeAsync();
    }
}
