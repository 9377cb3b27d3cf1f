using System.CommandLine;
using Microsoft.Extensions.Logging;
using Spotter.Cli.Models;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Settings;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Running;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Inference;
using Spotter.Worker;
using Spotter.Worker.Machines;

namespace Spotter.Cli.Commands;

/// <summary><c>worker</c>: joins a gateway over HTTP and runs jobs until told to stop.</summary>
internal static partial class WorkerCommand
{
    // Whoever let it go ends its pod soon. Where that one is gone, it joins anew.
    private static readonly TimeSpan PodPatience = TimeSpan.FromMinutes(2);

    private static readonly SettingFlags Flags = new([SettingSources.File, .. WorkerSection.All, GatewaySection.Models, GatewaySection.Data, .. LogSection.All]);

    private static readonly Option<bool> Child = new("--child")
    {
        Hidden = true,
        Description = "Take orders from standard input, and end when it is closed.",
    };

    private static readonly Option<int?> Workers = Hide(NumberOption.Whole("--of-workers", 1, int.MaxValue, "How many workers share this machine's memory."));

    public static Command Create()
    {
        var command = new Command("worker", "Join a gateway over HTTP and run jobs.") { Child, Workers };
        Flags.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static Option<int?> Hide(Option<int?> option)
    {
        option.Hidden = true;
        return option;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var isChild = parsed.GetValue(Child);
        var told = isChild ? SettingSources.OpenOfChild(Flags.Read(parsed)) : SettingSources.Open(Flags.Read(parsed));
        var settings = WorkerSection.Read(told, WorkerSection.NameOfMachine("worker"));
        var log = LogSection.Read(told);
        var (server, token) = WorkerSection.Gateway(told, "worker", isChild && WorkerSection.Token(told) is null ? WorkerOrder.TokenOf(await Console.In.ReadLineAsync()) : null);
        var place = WorkerSection.Metadata(told);
        told.ThrowIfWrong();
        using var stop = new StopSignals();
        using var drain = new DrainSwitch();
        using var onStop = stop.Token.Register(drain.DrainForGood);
        using var loggers = LoggerFactory.Create(logging => Logging.Configure(logging, log));
        var native = loggers.CreateLogger("OnnxRuntime");
        NativeLog.Told = line => LogNative(native, line);
        using var metadata = place is null ? null : new Ec2Metadata(place);
        var machine = metadata is null ? null : new Ec2Watch(metadata, drain, TimeProvider.System, loggers.CreateLogger<Ec2Watch>());
        if (machine is not null)
            await machine.WaitForServiceAsync(drain.Draining);
        using var models = new LoadedModels();
        var loader = new ModelLoader(models, new VisionModelOptions { Device = told.Get(WorkerSection.Device) }, loggers.CreateLogger<ModelLoader>());
        using var ended = new CancellationTokenSource();
        var heeding = machine?.RunAsync(ended.Token) ?? Task.CompletedTask;
        var memory = settings.MemoryBytes is { } bytes ? new MemoryBudget(bytes) : MemoryBudget.Default(parsed.GetValue(Workers) ?? 1);
        var runner = new JobRunner(new EngineHost(models, new ImageLimits(), RandomSource.System), memory, loggers.CreateLogger<JobRunner>());
        using var source = new HttpJobSource(
            new Uri(server), token, settings.Name,
            () => new WorkerJoin(settings.Lanes, models.List()) { Order = drain.LatestOrder, IsLeaving = drain.IsForGood }, TimeProvider.System,
            // One that a gateway started is on its machine, and mostly confined to it.
            loggers.CreateLogger<HttpJobSource>(), isChild ? BlobAccess.Files : BlobAccess.Links);
        Task watching;
        WorkerWelcome welcome;
        try
        {
            watching = await BeginLoadingAsync(told, isChild, loader, loggers, drain, ended.Token);
            welcome = await source.JoinAsync(drain.Draining);
        }
        catch (OperationCanceledException) when (drain.IsDraining)
        {
            return End(loader, ExitStatus.Done);
        }

        settings = settings with { Heartbeat = TimeSpan.FromSeconds(welcome.HeartbeatSeconds) };
        using var loop = new WorkLoop(source, () => models.Served(EngineCatalogue.BuiltIn.QueuesOf), runner, settings, TimeProvider.System, loggers.CreateLogger<WorkLoop>(), drain);
        var working = loop.RunAsync();
        if (await Task.WhenAny(working, loader.Broken) == loader.Broken)
            loop.Drain();
        // Nothing may be disposed of that the stuck job still uses.
        var end = await working;
        if (end == WorkerEnd.Stuck)
            NativeExit.Now(ExitStatus.Stuck);
        await source.LeaveAsync(CancellationToken.None);
        if (end == WorkerEnd.GaveUp)
            NativeExit.Now(ExitStatus.Done);
        if (end == WorkerEnd.Drained && WorkerSection.IsRestarted(told))
            await Task.Delay(PodPatience, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended.CancelAsync();
        await Task.WhenAll(watching, heeding);
        if (loader.Broken.IsFaulted)
            await loader.Broken;
        return End(loader, ExitStatus.Done);
    }

    /// <summary>Ends in order where that can be done: a model that is being loaded can't be waited for, and nothing may be taken from it.</summary>
    private static int End(ModelLoader loader, int status)
    {
        if (loader.IsLoading)
            NativeExit.Now(status);
        return status;
    }

    /// <summary>A worker that was started by a gateway has the models that it is told to have; any other sees to its files itself.</summary>
    private static async Task<Task> BeginLoadingAsync(
        SettingReader told, bool isChild, ModelLoader loader, ILoggerFactory loggers, DrainSwitch drain, CancellationToken ended)
    {
        var named = told.GetList(GatewaySection.Models);
        if (isChild)
        {
            // First of all: an order that comes next must find it done.
            loader.Want([.. named.Select(file => new WantedModel(file))]);
            ObeyStandardInput(drain, loader.Want);
            return Task.CompletedTask;
        }
        var watch = new ModelWatch(
            new ModelChoice(named, GatewaySection.DataFolder(told)), new ModelInspection(WorkerSection.Sandbox(told), GatewaySection.DataFolder(told)).InspectAsync, TimeProvider.System, loggers.CreateLogger<ModelWatch>());
        await watch.StartAsync(drain.Draining);
        if (watch.Models.All(m => m.Model is null))
            throw new SpotterException(ErrorCodes.NoModel, "A worker without a model has nothing to do; give one with --model FILE.");
        loader.Want(Wanted(watch.Models));
        return watch.RunAsync(now => loader.Want(Wanted(now)), ended);
    }

    private static IReadOnlyList<WantedModel> Wanted(IReadOnlyList<WatchedModel> models) => [.. models.Where(m => m.Model is not null).Select(m => m.Wanted)];

    /// <summary>
    /// The one who started this worker holds its standard input: a line says to drain, to stay after all, or which models to
    /// have; its end says that they are gone, perhaps before this worker has joined.
    /// </summary>
    private static void ObeyStandardInput(DrainSwitch drain, Action<IReadOnlyList<WantedModel>> want) => new Thread(() =>
    {
        while (Console.In.ReadLine() is { } line)
        {
            if (WorkerOrder.DrainOf(line) is { } order)
                drain.Obey(order.Number, order.Drain);
            else if (WorkerOrder.ModelsOf(line) is { } models)
                want(models);
        }
        NativeExit.Now(ExitStatus.Failed);
    })
    {
        IsBackground = true,
        Name = "standard input",
    }.Start();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Line}")]
    private static partial void LogNative(ILogger logger, string line);
}
