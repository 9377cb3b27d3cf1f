using System.Net;
using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway;

/// <summary>
/// Keeps the web pages of others away from a gateway that has no accounts. One that listens on this machine only is
/// reached by any page that the user looks at: such a page may neither send pictures (a form to another site needs
/// nobody's leave) nor read results by giving its own name the address of this machine (DNS rebinding).
/// </summary>
internal sealed class OriginGuard(GatewaySettings settings)
{
    private readonly bool loopbackOnly = settings.IsLoopback;

    public Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        var request = http.Request;
        if (loopbackOnly && !IsLoopback(request.Host.Host) && !settings.AllowedHosts.Contains(request.Host.Host, StringComparer.OrdinalIgnoreCase))
        {
            throw new SpotterException(ErrorCodes.ForeignSite,
                $"This service listens on this machine only and is not called '{request.Host.Host}'; start it with --allow-host NAME if a proxy calls it so.");
        }
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && IsForeign(request))
        {
            throw new SpotterException(ErrorCodes.ForeignSite,
                "A page of another site made this request; only this service's own page may. If it is the service's own behind a proxy, name it with --allow-host NAME, or have the proxy pass Host on.");
        }
        return next(http);
    }

    /// <summary>
    /// True for a request of a page that is not the service's own. Browsers say where a request comes from
    /// (https://www.w3.org/TR/fetch-metadata/), but to a plain http address other than this machine's only its origin
    /// (https://fetch.spec.whatwg.org/#origin-header). Other clients say nothing.
    /// </summary>
    private bool IsForeign(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
            return site is "cross-site" or "same-site";
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin)
            return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page)
            || !(page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase) || settings.AllowedHosts.Contains(page.Host, StringComparer.OrdinalIgnoreCase));
    }

    internal static bool IsLoopback(string host) =>
        // With a dot at its end it is the same name, and no other can be made of it.
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.Equals("localhost.", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
