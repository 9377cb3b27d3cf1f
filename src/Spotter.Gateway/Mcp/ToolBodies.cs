using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Spotter.Core;
using Spotter.Gateway.Overload;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>Calls with a picture are in memory as a whole until they are answered. This bounds how large they are, and how many.</summary>
internal sealed class ToolBodies(JobService jobs) : IDisposable
{
    private const int SmallBytes = 64 * 1024;
    private const int MostLarge = 16;

    private readonly Places large = new(MostLarge);

    /// <summary>The refusal of a picture that is too large.</summary>
    public static SpotterException TooLarge() => new(ErrorCodes.BodyTooLarge,
        $"A picture in a tool call has at most {McpContract.MostPictureBytes >> 20} MiB, and a call at most {McpContract.MostBytes >> 20} MiB; make it smaller, or send it to POST /v1/jobs.");

    /// <summary>Answers a call if there is room for it.</summary>
    public async Task LimitAsync(HttpContext http, RequestDelegate answer)
    {
        if (http.Request.ContentLength > McpContract.MostBytes)
            throw TooLarge();
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            server.MaxRequestBodySize = McpContract.MostBytes;
        if (http.Request.ContentLength <= SmallBytes)
        {
            await answer(http);
            return;
        }
        // A full service doesn't read megabytes first.
        jobs.Admission.Check();
        using var place = large.TryEnter(http) ?? throw new SpotterException(ErrorCodes.Busy,
            $"Too many calls with a picture are under way ({large.Share} of one client, {large.Most} of all); send it again when some have ended.");
        await answer(http);
    }

    public void Dispose() => large.Dispose();
}
