using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Spotter.Backends;
using Spotter.Cli.Models;
using Spotter.Core;
using Spotter.Fleets.Processes;
using Spotter.Gateway;
using Spotter.Gateway.Models;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;
using Spotter.Vision;

namespace Spotter.Cli.Serve;

/// <summary>A gateway with what belongs to it on one machine: store, sweeper, autoscaler, worker processes.</summary>
internal sealed class Service(ServeSettings settings)
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(60);

    // With the store gone nothing can be handed in.
    private static readonly TimeSpan FailedPatience = TimeSpan.FromSeconds(2);
    private static readonly JobError GatewayEnded = new(ErrorCodes.WorkerDied, "The service ended while the job ran.");

    private readonly TimeProvider time = new SteadyClock(TimeProvider.System);
    private readonly RandomSource random = RandomSource.System;

    /// <summary>Serves until told to stop; the exit status.</summary>
    public async Task<int> RunAsync()
    {
        using var stop = new StopSignals();
        await using var backend = Backend.Open(settings.ForBackend(), settings.Retries, random, time);
        if (await backend.CheckBlobsAsync(stop.Token) is { } passing)
            CommandLine.Complain($"{passing} Until then no picture is taken in.");
        using var loggers = LoggerFactory.Create(Logging.Configure);
        var watch = new ModelWatch(new ModelChoice(settings.Models, settings.DataFolder), ModelInspection.InspectAsync, time, loggers.CreateLogger<ModelWatch>());
        await watch.StartAsync(stop.Token);
        var catalogue = new ModelCatalogue(Listed(watch.Models));
        if (catalogue.Models.Count == 0)
            CommandLine.Complain($"no model is loaded, so no picture can be worked on; put .onnx files into {Path.Combine(settings.DataFolder, "models")}, or name one with --model FILE.");

        var gatewaySettings = settings.Gateway(catalogue.Models, random) with
        {
            Webhooks = settings.Webhooks with { Secrets = WebhookKey.Open(settings.DataFolder, random) },
        };
        using var scale = new ScaleRecords(settings, time, loggers);
        var dispatcher = new Dispatcher(backend.Jobs, backend.Queue, backend.Blobs, settings.Leases.Duration, scale.Meter.Arrived);
        // Whoever had jobs when the service last ended is gone: its workers end with it.
        var name = GatewayName.Of(backend, settings.DataFolder, random);
        if (settings.Scaling.Max > 0)
            await name.ReleaseAsync(backend, dispatcher, GatewayEnded, stop.Token);

        var roster = new WorkerRoster(time);
        GatewayHost? gateway = null;
        await using var fleet = new ProcessFleet(
            () => Worker(gateway!.Address, gatewaySettings.WorkerToken, GoodFiles(watch.Models)), roster,
            exit => dispatcher.ReleaseAsync(exit.Worker, ReasonOf(exit), spendAttempt: exit.Status != 0, CancellationToken.None),
            time, random, loggers.CreateLogger<ProcessFleet>(), new CrashBreadcrumbs(RunStage.BoardVariable, RunStage.BoardBytes))
        {
            NamePrefix = name.Prefix,
            Meter = scale.Meter,
            Ledger = Path.Combine(settings.DataFolder, "workers"),
        };
        foreach (var orphan in fleet.EndOrphans())
            CommandLine.Complain($"the worker {orphan} was still there from an earlier service, and was ended.");
        using var replay = settings.Scaling.Max == 0 ? null : new DayReplay(settings.Scaling, scale.Meter);
        var parts = new GatewayDependencies(backend.Jobs, backend.Queue, backend.Blobs, backend.Outbox, roster, scale.Decisions, fleet, time, random)
        {
            Models = catalogue,
            Meter = scale.Meter,
            Arrivals = scale.Arrivals,
            Replay = replay,
            Series = scale.Series,
        };
        await using (gateway = GatewayHost.Create(gatewaySettings, parts, Logging.Configure))
        {
            await ListenAsync(gateway);
            using var ended = new CancellationTokenSource();
            var sweeping = new Sweeper(dispatcher, backend.Jobs, backend.Blobs, settings.Leases, time)
                .RunAsync(loggers.Reporter("Sweeper"), ended.Token);
            var forgetting = ForgetAsync(roster, ended.Token);
            var watching = watch.RunAsync(
                models =>
                {
                    // The workers first: no request may choose what nobody was told to have.
                    fleet.TellAll(WorkerOrder.HaveModels([.. models.Where(m => m.Model is not null).Select(m => m.Wanted)]));
                    catalogue.Set(Listed(models));
                },
                ended.Token);
            using var scaled = new CancellationTokenSource();
            var scaling = settings.Scaling.Max == 0
                ? Task.CompletedTask
                : Loop(backend.Jobs, fleet, roster, scale, loggers, catalogue).RunAsync(scaled.Token);

            using var address = NoteAddress(Reachable(gateway.Address));
            Console.Out.WriteLine($"listening on {gateway.Address.ToString().TrimEnd('/')}");
            var stopped = await Task.WhenAny(stop.Stopped, backend.Failed);

            // Nothing new comes in, what runs is finished and handed in, what waits is there at the next start.
            gateway.CloseIntake();
            await scaled.CancelAsync();
            await scaling;
            await fleet.DrainAllAsync(stopped == backend.Failed ? FailedPatience : DrainPatience);
            await ended.CancelAsync();
            await Task.WhenAll(sweeping, forgetting, watching);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
            await gateway.StopAsync(patience.Token);
            if (stopped == backend.Failed)
                throw await backend.Failed;
        }
        return ExitStatus.Done;
    }

    /// <summary>A job that has had a worker die on it runs alone from then on, so the last time it is known to be this job's doing.</summary>
    private static JobError ReasonOf(WorkerExit exit) => exit.IsCrash && exit.Board.Contains(RunStage.Decoding)
        ? new(ErrorCodes.DecodeCrashed, $"The worker process crashed (signal {exit.Status - 128}) while it decoded a picture.")
        : new(ErrorCodes.WorkerDied, $"The worker process died while it had the job, with status {exit.Status}.");

    private ScaleLoop Loop(IJobStore jobs, IFleet fleet, WorkerRoster roster, ScaleRecords scale, ILoggerFactory loggers, ModelCatalogue catalogue) =>
        new(jobs, fleet, ScalePolicies.Create(settings.Scaling), scale.Decisions, time, loggers.CreateLogger<ScaleLoop>(), catalogue.Serves)
        {
            Tick = settings.Scaling.Tick,
            Meter = scale.Meter,
            CpuLoad = () => roster.CpuLoad,
            Series = scale.Series,
            Memory = scale.Memory,
        };

    private static IReadOnlyList<CatalogueModel> Listed(IReadOnlyList<WatchedModel> models) =>
        [.. models.Select(m => new CatalogueModel(m.Id, m.Model, m.Error, m.BuiltIn))];

    /// <summary>What a new worker loads: not what is being replaced right now by something that is no good yet.</summary>
    private static IReadOnlyList<string> GoodFiles(IReadOnlyList<WatchedModel> models) =>
        [.. models.Where(m => m.Error is null).Select(m => m.File)];

    private WorkerCommand Worker(Uri gateway, string token, IReadOnlyList<string> models)
    {
        List<string> arguments =
        [
            .. SelfProgram.Arguments, "worker", "--server", Reachable(gateway).ToString(), "--child",
            "--lanes", settings.Scaling.Lanes.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ];
        foreach (var model in models)
            arguments.AddRange(["--model", model]);
        return new WorkerCommand(SelfProgram.File, arguments, new Dictionary<string, string>(StringComparer.Ordinal) { [WorkerToken.Variable] = token });
    }

    /// <summary>The address by which the gateway is reached from this machine.</summary>
    private static Uri Reachable(Uri gateway)
    {
        var server = new UriBuilder(gateway);
        if (server.Host is "0.0.0.0" or "[::]" or "*" or "+")
            server.Host = "127.0.0.1";
        return server.Uri;
    }

    private IDisposable? NoteAddress(Uri address)
    {
        try
        {
            return ServiceAddress.Note(settings.DataFolder, address);
        }
        catch (IOException unwritten)
        {
            // A full disk keeps nothing from being served.
            CommandLine.Complain($"the address can't be noted in {settings.DataFolder}: {unwritten.Message}");
            return null;
        }
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
            roster.Forget(settings.Leases.Duration);
        }
    }
}
