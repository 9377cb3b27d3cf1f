using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Spotter.Autoscaler;
using Spotter.Backends;
using Spotter.Backends.Processes;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Core.Scaling;
using Spotter.Gateway;
using Spotter.Gateway.Models;

namespace Spotter.Cli.Serve;

/// <summary>A gateway with what belongs to it on one machine: store, sweeper, autoscaler, worker processes.</summary>
internal sealed class Service(ServeSettings settings)
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(60);

    // With the store gone nothing can be handed in.
    private static readonly TimeSpan FailedPatience = TimeSpan.FromSeconds(2);
    private static readonly JobError GatewayEnded = new(ErrorCodes.WorkerDied, "The service ended while the job ran.");
    private static readonly JobError WorkerEnded = new(ErrorCodes.WorkerDied, "The worker process died while it had the job.");

    private readonly TimeProvider time = TimeProvider.System;
    private readonly RandomSource random = RandomSource.System;

    /// <summary>Serves until told to stop; the exit status.</summary>
    public async Task<int> RunAsync()
    {
        using var stop = new StopSignals();
        await using var backend = Backend.Open(
            new BackendSettings { DataFolder = settings.DataFolder }, settings.Retries, random, time);
        var models = await LoadModelsAsync(stop.Token);
        using var loggers = LoggerFactory.Create(Logging.Configure);

        var catalogue = new ModelCatalogue(models.Select(m => m.Model!));
        var gatewaySettings = settings.Gateway(catalogue.Models, random);
        var dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, settings.Leases.Hold);
        // Whoever had jobs when the service last ended is gone: its workers end with it.
        if (settings.MaxWorkers > 0)
            await dispatcher.ReleaseAsync(worker: null, GatewayEnded, spendAttempt: false, stop.Token);

        var roster = new WorkerRoster(time);
        var decisions = new DecisionLog();
        GatewayHost? gateway = null;
        await using var fleet = new ProcessFleet(
            () => Worker(gateway!.Address, gatewaySettings.WorkerToken, models), roster,
            (worker, status) => dispatcher.ReleaseAsync(worker, WorkerEnded, spendAttempt: status != 0, CancellationToken.None),
            time, random, loggers.CreateLogger<ProcessFleet>());
        var parts = new GatewayParts(backend.Jobs, backend.Queue, backend.Blobs, roster, decisions, fleet, time, random) { Models = catalogue };
        await using (gateway = GatewayHost.Create(gatewaySettings, parts, Logging.Configure))
        {
            await ListenAsync(gateway);
            using var ended = new CancellationTokenSource();
            var sweeping = new Sweeper(dispatcher, backend.Jobs, backend.Blobs, settings.Leases, time)
                .RunAsync(loggers.Reporter("Sweeper"), ended.Token);
            var forgetting = ForgetAsync(roster, ended.Token);
            using var scaled = new CancellationTokenSource();
            var scaling = settings.MaxWorkers == 0 || models.Count == 0
                ? Task.CompletedTask
                : new ScaleLoop(backend.Jobs, fleet, Policy(), decisions, time, loggers.CreateLogger<ScaleLoop>(), catalogue.Serves).RunAsync(scaled.Token);

            Console.Out.WriteLine($"listening on {gateway.Address.ToString().TrimEnd('/')}");
            var stopped = await Task.WhenAny(stop.Stopped, backend.Failed);

            // Nothing new comes in, what runs is finished and handed in, what waits is there at the next start.
            gateway.CloseIntake();
            await scaled.CancelAsync();
            await scaling;
            await fleet.DrainAllAsync(stopped == backend.Failed ? FailedPatience : DrainPatience);
            await ended.CancelAsync();
            await Task.WhenAll(sweeping, forgetting);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
            await gateway.StopAsync(patience.Token);
            if (stopped == backend.Failed)
                throw await backend.Failed;
        }
        return ExitStatus.Done;
    }

    private ScalePolicy Policy() => new BacklogPolicy(new ScaleSettings
    {
        Min = settings.MinWorkers,
        Max = settings.MaxWorkers,
        Lanes = settings.Lanes,
        Linger = settings.Linger,
    });

    private async Task<IReadOnlyList<Models.ModelListing>> LoadModelsAsync(CancellationToken cancel)
    {
        var named = settings.Models.Count > 0;
        var files = named
            ? [.. settings.Models.Select(m => SpotterPaths.ResolveModel(m, settings.DataFolder))]
            : SpotterPaths.ModelFiles(settings.DataFolder);
        var usable = new List<Models.ModelListing>();
        foreach (var listing in await ModelInspection.InspectAsync(files, cancel))
        {
            if (listing.Model is null && named)
                throw new SpotterException(listing.Error!.Code, listing.Error.Detail);
            if (listing.Model is null)
                CommandLine.Complain($"{listing.Error!.Detail} It is left out.");
            else if (usable.Any(m => m.Model!.Id == listing.Model.Id))
                throw new SpotterException(ErrorCodes.InvalidSettings, $"Two models are called '{listing.Model.Id}'; rename one of the files.");
            else
                usable.Add(listing);
        }
        if (usable.Count == 0)
            CommandLine.Complain($"no model is loaded, so no picture can be worked on; give one with --model FILE, or put .onnx files into {Path.Combine(settings.DataFolder, "models")}.");
        return usable;
    }

    private WorkerCommand Worker(Uri gateway, string token, IReadOnlyList<Models.ModelListing> models)
    {
        var server = new UriBuilder(gateway);
        if (server.Host is "0.0.0.0" or "[::]" or "*" or "+")
            server.Host = "127.0.0.1";
        List<string> arguments =
        [
            .. SelfProgram.Arguments, "worker", "--server", server.Uri.ToString(), "--child",
            "--lanes", settings.Lanes.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ];
        foreach (var model in models)
            arguments.AddRange(["--model", model.File]);
        return new WorkerCommand(SelfProgram.File, arguments, new Dictionary<string, string>(StringComparer.Ordinal) { [WorkerToken.Variable] = token });
    }

    private async Task ListenAsync(GatewayHost gateway)
    {
        try
        {
            await gateway.StartAsync(CancellationToken.None);
        }
        catch (IOException inUse) when (inUse.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException or SocketException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"Port {settings.Port} on {settings.Host} is in use; end what listens there, or choose another port with --port.", inUse);
        }
        catch (SocketException refused)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"{settings.Host}:{settings.Port} can't be listened on ({refused.Message}); choose another with --host and --port.", refused);
        }
    }

    /// <summary>Forgets workers elsewhere that have gone silent; their leases run out by themselves.</summary>
    private async Task ForgetAsync(WorkerRoster roster, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(settings.Leases.Sweep, time, cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            roster.Forget(settings.Leases.Hold);
        }
    }
}
