using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Spotter.Core;

namespace Spotter.Gateway.Cameras;

/// <summary>
/// The port that serves camera software and nothing else, so that it can be opened to the cameras' network without the
/// page, the API and the worker API. All that holds for the gateway's own port holds here too: it is the same pipeline.
/// </summary>
/// <param name="settings">Say whether there is one.</param>
/// <param name="server">Knows the ports once they are open.</param>
internal sealed class CameraPort(GatewaySettings settings, IServer server)
{
    private const string Health = "/healthz";

    /// <summary>True for a request that came in on it.</summary>
    public bool Is(HttpContext http) => settings.Cameras.Port is not null && GatewayPort is { } own && http.Connection.LocalPort != own;

    /// <summary>Lets only the calls of camera software through on it, and who asks whether it works: Blue Iris looks at <c>/</c>.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>.</exception>
    public Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        if (Is(http) && http.Request.Path == "/")
            return TypedResults.Text("Spotter serves camera software here.\n", "text/plain").ExecuteAsync(http);
        if (Is(http) && http.GetEndpoint()?.Metadata.GetMetadata<CameraCall>() is null && http.Request.Path != Health)
            throw new SpotterException(ErrorCodes.NotFound, $"There is nothing at {http.Request.Path} on this port, which serves /v1/vision and /v1/status only.");
        return next(http);
    }

    /// <summary>The gateway's own port; null while it is being opened. It is opened before this one.</summary>
    private int? GatewayPort => settings.Port > 0 ? settings.Port
        : server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } first && new Uri(first).Port is > 0 and var port ? port
        : null;
}

/// <summary>Marks a call of camera software.</summary>
internal sealed record CameraCall
{
    /// <summary>The mark.</summary>
    public static readonly CameraCall Mark = new();
}
