using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Hosting;

/// <summary>Requests that end before their end. Kestrel would try to read another one after them, fail, and log a warning for each client that goes away while it sends.</summary>
internal static class CutRequests
{
    /// <summary>Sees to it that no request is read after one whose client has gone.</summary>
    public static async Task EndAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.RequestAborted.IsCancellationRequested)
            End(http);
    }

    /// <summary>Has the connection closed when this request is over, if it is this one's alone.</summary>
    public static void End(HttpContext http)
    {
        if (HttpProtocol.IsHttp11(http.Request.Protocol) || HttpProtocol.IsHttp10(http.Request.Protocol))
            http.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }

    /// <summary>True when the server itself could not read the request: its exceptions are of a kind of their own.</summary>
    public static bool IsCut(Exception exception) => exception is BadHttpRequestException && exception.GetType() != typeof(BadHttpRequestException);
}
