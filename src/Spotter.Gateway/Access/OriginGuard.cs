using System.Net;
using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>
/// Keeps the web pages of others away from a gateway without accounts: any page that the user looks at reaches what the user's
/// machine reaches. Such a page may neither send pictures (a form to another site needs nobody's leave) nor read results by
/// giving its own name the address of the gateway (DNS rebinding).
/// </summary>
internal sealed class OriginGuard(GatewaySettings settings, KeyRing keys)
{
    public Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        var request = http.Request;
        if (!IsName(request))
            throw new SpotterException(ErrorCodes.InvalidRequest, "The Host header of the request is no name.");
        if (!IsCalledByName(request))
        {
            throw new SpotterException(ErrorCodes.ForeignSite, settings.IsLoopback
                ? $"This service listens on this machine only and is not called '{request.Host.Host}'; start it with --allow-host NAME if a proxy calls it so."
                : $"Without API keys this service answers to its address and to names that it was told, and '{request.Host.Host}' is none; start it with --allow-host NAME, or make keys (spotter keys add).");
        }
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && IsForeign(request))
        {
            throw new SpotterException(ErrorCodes.ForeignSite,
                "A page of another site made this request; only this service's own page may. If it is the service's own behind a proxy, name it with --allow-host NAME, or have the proxy pass Host on.");
        }
        return next(http);
    }

    /// <summary>False for what says that it is an international name and can't be read as one, at which whoever asks for it fails.</summary>
    private static bool IsName(HttpRequest request)
    {
        try
        {
            return request.Host.Host is not null;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>
    /// True unless the request was made with a name that anybody may have given to this address. With keys names don't matter
    /// beyond this machine: a page of somebody else has none. Nor do they for workers, which show a secret.
    /// </summary>
    private bool IsCalledByName(HttpRequest request)
    {
        var host = request.Host.Host;
        if (GatewaySettings.IsLoopbackName(host) || settings.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase))
            return true;
        return !settings.IsLoopback
            && (IPAddress.TryParse(host.Trim('[', ']'), out _) || keys.Closed || request.Path.StartsWithSegments("/v1/workers", StringComparison.Ordinal));
    }

    /// <summary>
    /// True for a request of a page that is not the service's own. Browsers say where a request comes from
    /// (https://www.w3.org/TR/fetch-metadata/), but to a plain http address other than this machine's only its origin
    /// (https://fetch.spec.whatwg.org/#origin-header). Other clients say nothing.
    /// </summary>
    private bool IsForeign(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
            return true;
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin)
            return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page)
            || !(page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase) || settings.AllowedHosts.Contains(page.Host, StringComparer.OrdinalIgnoreCase));
    }
}
