using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Results;

/// <summary>
/// A blob as an answer, read straight into the connection's memory: pictures are most of what the gateway moves.
/// </summary>
internal sealed class BlobResult(Stream content, string mediaType) : IResult
{
    private const int PieceBytes = 32 * 1024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using (content)
        {
            var response = httpContext.Response;
            response.ContentType = mediaType;
            response.ContentLength = content.Length;
            if (HttpMethods.IsHead(httpContext.Request.Method))
                return;
            while (true)
            {
                var read = await content.ReadAsync(response.BodyWriter.GetMemory(PieceBytes), httpContext.RequestAborted);
                if (read == 0)
                    break;
                response.BodyWriter.Advance(read);
                var flushed = await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
                if (flushed.IsCompleted || flushed.IsCanceled)
                    break;
            }
        }
    }
}
