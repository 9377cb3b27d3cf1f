using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway;

/// <summary>Answers HEAD wherever GET is answered (RFC 9110, 9.3.2): as GET, of which the server leaves out the body.</summary>
internal static class HeadRequests
{
    private static readonly object IsHeadKey = new();

    /// <summary>Makes a HEAD request a GET request, before an endpoint is chosen for it.</summary>
    public static Task AsGetAsync(HttpContext http, RequestDelegate next)
    {
        if (HttpMethods.IsHead(http.Request.Method))
        {
            http.Request.Method = HttpMethods.Get;
            http.Items[IsHeadKey] = true;
        }
        return next(http);
    }

    /// <summary>True for a request whose answer has no body, whatever is written.</summary>
    public static bool IsHead(HttpContext http) => http.Items.ContainsKey(IsHeadKey);
}
