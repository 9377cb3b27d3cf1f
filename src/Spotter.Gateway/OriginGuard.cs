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
        // Browsers say where a request comes from (https://www.w3.org/TR/fetch-metadata/); other clients say nothing.
        if (request.Headers["Sec-Fetch-Site"] == "cross-site" && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            throw new SpotterException(ErrorCodes.ForeignSite, "A page of another site made this request; only this service's own page may.");
        return next(http);
    }

    internal static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
