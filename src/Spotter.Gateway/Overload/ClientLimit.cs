using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Overload;

/// <summary>Keeps one client from taking what is there for all.</summary>
internal sealed class ClientLimit(ClientBuckets buckets, GatewaySettings settings)
{
    public Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        if (settings.ClientRate > 0 && http.GetEndpoint()?.Metadata.GetMetadata<CallCost>() is { } cost && ClientOf(http) is { } client
            && buckets.Take(client, cost.Tokens, settings.ClientRate, settings.ClientBurst) is { } wait)
        {
            throw new SpotterException(ErrorCodes.RateLimited, string.Create(CultureInfo.InvariantCulture,
                $"More than {settings.ClientRate:0.##} submissions a second came from one client; send them more slowly."))
            {
                RetryAfter = wait,
            };
        }
        return next(http);
    }

    /// <summary>Who asks; null for this machine itself without keys, as its programs are not strangers to each other.</summary>
    private static string? ClientOf(HttpContext http)
    {
        if (Caller.Find(http) is { Key: { } key })
            return $"key {key}";
        var address = http.Connection.RemoteIpAddress;
        return ClientAddress.IsLocal(address) ? null : $"address {ClientAddress.NameOf(address)}";
    }
}
