using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Cli.Remote;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;

namespace Spotter.Cli.Serve;

/// <summary>Runs a service until it is told to stop.</summary>
internal static class ServiceRunner
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(60);

    // With the store gone nothing can be handed in.
    private static readonly TimeSpan FailedPatience = TimeSpan.FromSeconds(2);

    // For answers that are on their way.
    private static readonly TimeSpan ConnectionPatience = TimeSpan.FromSeconds(5);

    /// <summary>Serves until told to stop; the exit status.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="isGateway">True for a gateway, which starts no processes: its workers join from elsewhere.</param>
    public static async Task<int> RunAsync(SettingReader settings, bool isGateway)
    {
        using var stop = new StopSignals();
        await using var host = ServiceHost.Build(settings, isGateway, stop);
        // A host can't be stopped whose parts can't be made.
        _ = host.Services.GetServices<IHostedService>().ToList();
        try
        {
            return await ServeAsync(host, stop.Token);
        }
        catch
        {
            // What runs besides whatever failed is ended in order, not as if it had failed too.
            using var patience = new CancellationTokenSource(ConnectionPatience);
            await host.StopAsync(patience.Token);
            throw;
        }
    }

    private static async Task<int> ServeAsync(WebApplication host, CancellationToken stop)
    {
        await StartAsync(host);
        using var address = NoteAddress(host);
        if (host.CameraAddress() is { } cameras)
            Announce($"camera software on {cameras.ToString().TrimEnd('/')}");
        if (host.KedaAddress() is { } keda)
            Announce($"KEDA on {keda.ToString().TrimEnd('/')}");
        Announce($"listening on {host.Address().ToString().TrimEnd('/')}");

        // None of these ends by itself unless it failed, and the service is no use without any of them.
        var failed = host.FirstErrorAsync();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var onStop = stop.Register(stopped.SetResult);
        var hasFailed = await Task.WhenAny(stopped.Task, failed) == failed;

        // Nothing new comes in, what runs is finished and handed in, what waits is there at the next start.
        host.Services.GetRequiredService<JobService>().Admission.Close();
        await host.Services.GetRequiredService<PoolService>().DrainAsync(hasFailed ? FailedPatience : DrainPatience);
        using var patience = new CancellationTokenSource(ConnectionPatience);
        await host.StopAsync(patience.Token);
        return hasFailed ? throw await failed : ExitStatus.Done;
    }

    /// <summary>The address by which a gateway is reached from its own machine.</summary>
    public static Uri Reachable(Uri gateway)
    {
        var server = new UriBuilder(gateway);
        if (server.Host is "0.0.0.0" or "[::]" or "*" or "+")
            server.Host = "127.0.0.1";
        return server.Uri;
    }

    private static async Task StartAsync(WebApplication host)
    {
        var settings = host.Services.GetRequiredService<GatewaySettings>();
        try
        {
            // Not cancelled by a signal, which would end all parts as if they had failed: those that take long look themselves.
            await host.StartAsync(CancellationToken.None);
        }
        catch (IOException inUse) when (inUse.InnerException is AddressInUseException or SocketException)
        {
            var (port, flag) = PortOf(host, settings);
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"Port {port} on {settings.Host} is in use; end what listens there, or choose another port with {flag}.", inUse);
        }
        catch (SocketException refused)
        {
            var (port, flag) = PortOf(host, settings);
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"{settings.Host}:{port} can't be listened on ({refused.Message}); choose another with --host and {flag}.", refused);
        }
    }

    /// <summary>The port that could not be opened: they are opened one after the other, and one that is open is noted.</summary>
    private static (int Port, string Flag) PortOf(WebApplication host, GatewaySettings settings) =>
        settings.Cameras.Port is { } cameras && host.Urls.Count > 0 ? (cameras, CameraSection.Port.Flag!) : (settings.Port, GatewaySection.Port.Flag!);

    private static void Announce(string line)
    {
        try
        {
            Console.Out.WriteLine(line);
        }
        catch (IOException unread)
        {
            // A full disk, or a terminal that is gone: it serves all the same.
            StandardError.Complain($"standard output can't be written ({unread.Message.TrimEnd('.')}); {line}.");
        }
    }

    private static IDisposable? NoteAddress(WebApplication host)
    {
        var data = host.Services.GetRequiredService<ServiceSettings>().DataFolder;
        try
        {
            return ServiceAddress.Note(data, Reachable(host.Address()));
        }
        catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
        {
            // A full disk keeps nothing from being served.
            StandardError.Complain($"the address can't be noted in {data}: {unwritten.Message}");
            return null;
        }
    }
}
