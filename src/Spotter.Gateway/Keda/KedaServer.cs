using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Scaling;

namespace Spotter.Gateway.Keda;

/// <summary>
/// The port for KEDA. It is a server of its own, with nothing else behind it: gRPC wants HTTP/2 without TLS, knows neither keys nor
/// problems in JSON, and nothing that the public port has may be had here.
/// </summary>
/// <param name="settings">Say whether there is one.</param>
/// <param name="pools">The pools; asked once it is known that there is one.</param>
/// <param name="loggers">Makes its logs.</param>
internal sealed class KedaServer(GatewaySettings settings, Func<WorkerPools> pools, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    // KEDA's operator has one connection for all that it scales here, and each has a stream.
    private const int MostConnections = 64;
    private const int MostStreams = 512;
    private const int LargestRequest = 64 * 1024;

    private WebApplication? server;

    /// <summary>Where it listens; null when it doesn't.</summary>
    public Uri? Address => server?.Urls.FirstOrDefault() is { } url ? new(url) : null;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.KedaPort is not { } port)
            return;
        server = Build(port);
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (IOException inUse) when (inUse.InnerException is AddressInUseException or SocketException)
        {
            throw new SpotterException(
                ErrorCodes.InvalidSettings, $"Port {port} on {settings.Host} is in use; end what listens there, or choose another port with --keda-port.", inUse);
        }
        catch (SocketException refused)
        {
            throw new SpotterException(
                ErrorCodes.InvalidSettings, $"{settings.Host}:{port} can't be listened on ({refused.Message}); choose another with --host and --keda-port.", refused);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
    }

    private WebApplication Build(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Limits.Http2.MaxStreamsPerConnection = MostStreams;
            // A peer whose machine vanished closes nothing.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        });
        builder.Services.AddSingleton(loggers).AddSingleton<IHostLifetime, NoSignals>().AddSingleton(pools());
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = LargestRequest);
        var app = builder.Build();
        app.Urls.Add($"http://{settings.Host}:{port}");
        app.UseRouting();
        app.MapGrpcService<KedaScaler>();
        return app;
    }

    /// <summary>The service's own host hears the signals, and stops this one.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
