using System.CommandLine;
using Microsoft.Extensions.Logging;
using Spotter.Cli.Bridge;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Running;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Cli.Commands;

/// <summary><c>bridge</c>: joins a gateway like a worker, and has the workers of an earlier service do the work.</summary>
internal static class BridgeCommand
{
    private static readonly SettingFlags Flags = new([SettingSources.File, .. WorkerSection.OfBridge, LegacySection.Compat, .. LegacySection.All, .. BridgeSection.All, .. LogSection.All]);

    public static Command Create()
    {
        var command = new Command("bridge", "Join a gateway over HTTP and have the workers of an earlier service run its jobs.");
        Flags.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var told = SettingSources.Open(Flags.Read(parsed));
        var (server, token) = WorkerSection.Gateway(told, "bridge");
        var legacy = LegacySection.ReadOfBridge(told);
        var model = BridgeSection.Model(told, legacy);
        var wait = BridgeSection.Wait(told);
        var log = LogSection.Read(told);
        told.ThrowIfWrong();
        using var stop = new StopSignals();
        using var drain = new DrainSwitch();
        using var onStop = stop.Token.Register(drain.DrainForGood);
        using var loggers = LoggerFactory.Create(logging => Logging.Configure(logging, log));
        var post = LegacySection.Open(told);
        using var open = post as IDisposable;
        await CheckAsync(legacy, post, drain.Draining);
        var mail = legacy.Service == LegacyService.S1
            ? null
            : new MailWorkers(legacy, legacy.Service == LegacyService.S2 ? MailForm.S2 : MailForm.S3, post, wait, TimeProvider.System, RandomSource.System, loggers.CreateLogger<MailWorkers>());
        IOldWorkers workers = mail is null ? new RowWorkers(legacy, post, TimeProvider.System) : mail;
        var engine = new BridgeEngine(model, legacy, post, workers, wait, TimeProvider.System);
        using var models = new LoadedModels();
        // What needs no model, as drawing results, it does itself: there may be no other worker.
        var runner = new JobRunner(
            new EngineHost(models, new ImageLimits(), RandomSource.System), MemoryBudget.Default(1), loggers.CreateLogger<JobRunner>(),
            name => name == engine.Name ? engine : EngineCatalogue.BuiltIn.Find(name));
        var settings = WorkerSection.Read(told, WorkerSection.NameOfMachine("bridge")) with { Lanes = BridgeSection.AtOnce(told) };
        using var source = new HttpJobSource(
            new Uri(server), token, settings.Name,
            () => new WorkerJoin(settings.Lanes, [new WorkerModel(model.Id, model.Version) { Info = model }]) { Order = drain.LatestOrder, IsLeaving = drain.IsForGood }, TimeProvider.System,
            loggers.CreateLogger<HttpJobSource>(), BlobAccess.Links);
        using var ended = new CancellationTokenSource();
        var reading = mail?.ReadAsync(ended.Token) ?? Task.CompletedTask;
        try
        {
            settings = settings with { Heartbeat = TimeSpan.FromSeconds((await source.JoinAsync(drain.Draining)).HeartbeatSeconds) };
        }
        catch (OperationCanceledException) when (drain.IsDraining)
        {
            return ExitStatus.Done;
        }
        var served = new ServedQueues([.. EngineCatalogue.BuiltIn.QueuesOf([model])], CancellationToken.None);
        using var loop = new WorkLoop(source, () => served, runner, settings, TimeProvider.System, loggers.CreateLogger<WorkLoop>(), drain);
        var working = loop.RunAsync();
        // Reading ends by a mistake of this program only.
        if (mail is not null && await Task.WhenAny(working, reading) == reading)
            await reading;
        if (await working == WorkerEnd.Stuck)
            NativeExit.Now(ExitStatus.Stuck);
        await source.LeaveAsync(CancellationToken.None);
        await ended.CancelAsync();
        await reading;
        return ExitStatus.Done;
    }

    /// <summary>What isn't there won't come by itself; what can't be reached may.</summary>
    private static async Task CheckAsync(LegacySettings legacy, ILegacyPost post, CancellationToken cancel)
    {
        foreach (var part in legacy.Parts)
        {
            try
            {
                await post.CheckAsync(part.Kind == LegacyPartKind.Table ? part with { Kind = LegacyPartKind.ReadTable } : part, cancel);
            }
            catch (SpotterException away) when (away.Code == ErrorCodes.StoreUnavailable)
            {
                StandardError.Complain(away.Message);
            }
        }
    }
}
