using System.CommandLine;
using Microsoft.Extensions.Logging;
using Spotter.Cli.Models;
using Spotter.Cli.Serve;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision.Inference;
using Spotter.Worker;

namespace Spotter.Cli.Commands;

/// <summary><c>worker</c>: joins a gateway over HTTP and runs jobs until told to stop.</summary>
internal static class WorkerCommand
{
    private static readonly Option<Uri> Server = new("--server")
    {
        HelpName = "URL",
        Description = "The gateway to join, as http://host:8080.",
        Required = true,
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https"))
                return url;
            result.AddError("--server takes an address like http://host:8080.");
            return null!;
        },
    };

    private static readonly Option<string?> Name = new("--name")
    {
        HelpName = "NAME",
        Description = "The worker's name, unlike that of any other. Default: made up from the machine's.",
    };

    private static readonly Option<string[]> Models = new("--model")
    {
        HelpName = "NAME|FILE",
        Description = "A model to load; may be repeated. Default: all that `spotter models list` shows.",
    };

    private static readonly Option<string?> Data = new("--data")
    {
        HelpName = "DIR",
        Description = "The data folder, in whose folder `models` is looked. Default: `data`, or what SPOTTER__DATA says.",
    };

    private static readonly Option<int> Lanes = NumberOption.Whole("--lanes", Environment.ProcessorCount, 1, 256, "Jobs at a time. Default: the number of cores.");

    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        HelpName = "FILE",
        Description = $"File with the gateway's worker token. Default: what {WorkerToken.Variable} says.",
    };

    private static readonly Option<bool> Child = new("--child")
    {
        Hidden = true,
        Description = "Take orders from standard input, and end when it is closed.",
    };

    public static Command Create()
    {
        var command = new Command("worker", "Join a gateway over HTTP and run jobs.") { Server, Name, Models, Data, Lanes, TokenFile, Child };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var token = WorkerToken.Read(parsed.GetValue(TokenFile))
            ?? throw new SpotterException(ErrorCodes.InvalidSettings, $"A worker needs the gateway's worker token; give it with --token-file FILE or {WorkerToken.Variable}.");
        using var stop = new StopSignals();
        using var drain = new DrainSwitch();
        using var onStop = stop.Token.Register(drain.DrainForGood);
        using var loggers = LoggerFactory.Create(Logging.Configure);
        var settings = new WorkerSettings
        {
            Name = parsed.GetValue(Name) ?? $"{SafeMachineName()}-{RandomSource.System.NextHex(3)}",
            Lanes = parsed.GetValue(Lanes),
        };
        using var models = new LoadedModels();
        var loader = new ModelLoader(models, new VisionModelOptions(), loggers.CreateLogger<ModelLoader>());
        using var ended = new CancellationTokenSource();
        var watching = await BeginLoadingAsync(parsed, loader, loggers, drain, ended.Token);
        await loader.First;
        var runner = new JobRunner(new EngineHost(models, new ImageLimits(), RandomSource.System), loggers.CreateLogger<JobRunner>());
        using var source = new HttpJobSource(
            parsed.GetRequiredValue(Server), token, settings.Name,
            () => new WorkerJoin(settings.Lanes, models.List()) { Order = drain.LatestOrder }, TimeProvider.System);
        WorkerWelcome welcome;
        try
        {
            welcome = await source.JoinAsync(drain.Draining);
        }
        catch (OperationCanceledException) when (drain.IsDraining)
        {
            return ExitStatus.Done;
        }

        settings = LeaseVariables.Read(settings) with { Heartbeat = TimeSpan.FromSeconds(welcome.HeartbeatSeconds) };
        using var loop = new WorkLoop(source, () => models.Served(EngineCatalogue.BuiltIn.QueuesOf), runner, settings, TimeProvider.System, loggers.CreateLogger<WorkLoop>(), drain);
        // Nothing may be disposed of that the stuck job still uses.
        if (await loop.RunAsync() == WorkerEnd.Stuck)
            Environment.Exit(ExitStatus.Stuck);
        await source.LeaveAsync(CancellationToken.None);
        await ended.CancelAsync();
        await watching;
        return ExitStatus.Done;
    }

    /// <summary>A worker that was started by a gateway has the models that it is told to have; any other sees to its files itself.</summary>
    private static async Task<Task> BeginLoadingAsync(
        ParseResult parsed, ModelLoader loader, ILoggerFactory loggers, DrainSwitch drain, CancellationToken ended)
    {
        var named = parsed.GetValue(Models) ?? [];
        if (parsed.GetValue(Child))
        {
            // First of all: an order that comes next must find it done.
            loader.Want([.. named.Select(file => new WantedModel(file))]);
            ObeyStandardInput(drain, loader.Want);
            return Task.CompletedTask;
        }
        var watch = new ModelWatch(
            new ModelChoice(named, SpotterPaths.DataFolder(parsed.GetValue(Data))), ModelInspection.InspectAsync, TimeProvider.System, loggers.CreateLogger<ModelWatch>());
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
        Environment.Exit(ExitStatus.Failed);
    })
    {
        IsBackground = true,
        Name = "standard input",
    }.Start();

    private static string SafeMachineName()
    {
        var name = new string([.. Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]);
        return name.Length == 0 ? "worker" : name[..Math.Min(name.Length, 40)];
    }
}
