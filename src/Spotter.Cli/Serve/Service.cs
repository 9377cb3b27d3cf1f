using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Spotter.Backends.Opening;
using Spotter.Cli.Models;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Fleets.Processes;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Serve;

/// <summary>A gateway with what belongs to it on one machine: job store, fleet controllers, worker processes.</summary>
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
        await using var backend = BackendFactory.Open(settings.ForBackend(), settings.Retries, random, time);
        if (await backend.CheckBlobsAsync(stop.Token) is { } passing)
            StandardError.Complain($"{passing} Until then no picture is taken in.");
        using var loggers = LoggerFactory.Create(Logging.Configure);
        var watch = new ModelWatch(new ModelChoice(settings.Models, settings.DataFolder), ModelInspection.InspectAsync, time, loggers.CreateLogger<ModelWatch>());
        await watch.StartAsync(stop.Token);
        var catalogue = new ModelCatalogue(Listed(watch.Models));
        if (catalogue.Models.Count == 0)
            StandardError.Complain($"no model is loaded, so no picture can be worked on; put .onnx files into {Path.Combine(settings.DataFolder, "models")}, or name one with --model FILE.");

        var gatewaySettings = settings.Gateway(catalogue.Models, random) with
        {
            Webhooks = settings.Webhooks with { Secrets = WebhookKey.Open(settings.DataFolder, random) },
        };
        using var scale = new ScaleRecords(settings, time, loggers);
        // Whoever had jobs when the service last ended is gone: its workers end with it.
        var name = GatewayName.Of(backend, settings.DataFolder, random);
        if (settings.Scaling.Max > 0)
            await name.ReleaseAsync(backend, GatewayEnded, stop.Token);

        var roster = new WorkerRoster(time);
        GatewayHost? gateway = null;
        var dependencies = new PoolDependencies(backend, name, roster, scale, catalogue, settings.DataFolder, time, random, loggers);
        List<ProcessPool> pools = [];
        await using var ending = new Disposing(pools);
        foreach (var pool in settings.Pools)
        {
            pools.Add(new ProcessPool(
                pool, settings.Pools, dependencies, p => Worker(gateway!.Address, gatewaySettings.WorkerToken, GoodFiles(watch.Models, p), p.Scaling),
                worker => pools.Any(p => p.Fleet.Has(worker))));
        }
        scale.Meter.PoolOf = pools.Count > 1 ? queue => pools.Find(p => p.Serves(queue))?.Meter : null;
        foreach (var orphan in pools.SelectMany(p => p.EndOrphans()))
            StandardError.Complain($"the worker {orphan} was still there from an earlier service, and was ended.");
        foreach (var missing in settings.Pools.SelectMany(p => p.Models).Where(id => catalogue.All.All(m => m.Id != id)))
            StandardError.Complain($"a pool names the model {missing}, which is not there; `spotter models list` shows those that are.");
        foreach (var model in catalogue.Models.Where(m => pools.Count > 0 && !pools.Exists(p => p.HasModel(m.Id))))
            StandardError.Complain($"the model {model.Id} is in no pool, so its jobs wait for workers from elsewhere; name it in a --pool, or add one without models.");
        using var replay = settings.Scaling.Max == 0 ? null : new DayReplay(settings.Scaling, scale.Meter);
        var parts = new GatewayDependencies(backend.Jobs, backend.Blobs, backend.Outbox, roster, scale.Decisions,
            new WorkerPools([.. pools.Select(p => new WorkerPool(p.Name, p.Scaling.Max, p.Fleet))], roster), time, random)
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
            var forgetting = ForgetAsync(roster, ended.Token);
            var watching = watch.RunAsync(
                models =>
                {
                    // The workers first: no request may choose what nobody was told to have.
                    pools.ForEach(p => p.TellModels(models));
                    catalogue.Set(Listed(models));
                },
                ended.Token);
            using var scaled = new CancellationTokenSource();
            List<Task> loops = [.. pools.Select(p => p.RunAsync(scaled.Token))];
            var scaling = Task.WhenAll(loops);

            using var address = NoteAddress(Reachable(gateway.Address));
            Console.Out.WriteLine($"listening on {gateway.Address.ToString().TrimEnd('/')}");
            // None of these ends by itself unless it failed, and the service is no use without any of them.
            var failed = Task.WhenAny(backend.Failed, gateway.Failed, Supervision.FirstErrorAsync([forgetting, watching, .. loops])).Unwrap();
            var stopped = await Task.WhenAny(stop.Stopped, failed);

            // Nothing new comes in, what runs is finished and handed in, what waits is there at the next start.
            gateway.CloseIntake();
            await scaled.CancelAsync();
            await Task.WhenAny(scaling);
            await Task.WhenAll(pools.Select(p => p.Fleet.DrainAllAsync(stopped == failed ? FailedPatience : DrainPatience)));
            await ended.CancelAsync();
            await Task.WhenAny(Task.WhenAll(forgetting, watching));
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
            await gateway.StopAsync(patience.Token);
            if (stopped == failed)
                throw await failed;
        }
        return ExitStatus.Done;
    }

    private static IReadOnlyList<CatalogueModel> Listed(IReadOnlyList<WatchedModel> models) =>
        [.. models.Select(m => new CatalogueModel(m.Id, m.Model, m.Error, m.BuiltIn))];

    /// <summary>What a new worker loads: not what is being replaced right now by something that is no good yet.</summary>
    private static IReadOnlyList<string> GoodFiles(IReadOnlyList<WatchedModel> models, ProcessPool pool) =>
        [.. models.Where(m => m.Error is null && pool.HasModel(m.Id)).Select(m => m.File)];

    private static WorkerCommand Worker(Uri gateway, string token, IReadOnlyList<string> models, ScaleSettings scaling)
    {
        List<string> arguments =
        [
            .. SelfProgram.Arguments, "worker", "--server", Reachable(gateway).ToString(), "--child",
            "--lanes", scaling.Lanes.ToString(System.Globalization.CultureInfo.InvariantCulture),
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
            StandardError.Complain($"the address can't be noted in {settings.DataFolder}: {unwritten.Message}");
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
        while (true)
        {
            await Task.Delay(settings.Leases.Sweep, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested)
                return;
            roster.Forget(settings.Leases.Duration);
        }
    }

    /// <summary>Ends the workers that are left, whatever the service ended of.</summary>
    private sealed class Disposing(List<ProcessPool> pools) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var pool in pools)
                await pool.DisposeAsync();
        }
    }
}
