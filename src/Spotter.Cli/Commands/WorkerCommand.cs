using System.CommandLine;
using Microsoft.Extensions.Logging;
using Spotter.Backends.Http;
using Spotter.Cli.Serve;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Jobs;
using Spotter.Vision;
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
        // Not disposed of: an order may still come while the process ends.
        var draining = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        // Before anything that takes time: whoever started this worker may be gone before it has joined.
        if (parsed.GetValue(Child))
            ObeyStandardInput(draining.Cancel);
        using var loggers = LoggerFactory.Create(Logging.Configure);
        var settings = new WorkerSettings
        {
            Name = parsed.GetValue(Name) ?? $"{SafeMachineName()}-{RandomSource.System.NextHex(3)}",
            Lanes = parsed.GetValue(Lanes),
        };
        using var models = new LoadedModels();
        using var loader = new ModelLoader(models, new VisionModelOptions(), loggers.CreateLogger<ModelLoader>());
        await LoadAsync(parsed, loader, models);
        var runner = new JobRunner(models, new ImageLimits(), loggers.CreateLogger<JobRunner>());
        using var source = new HttpJobSource(
            parsed.GetRequiredValue(Server), token, settings.Name,
            () => new WorkerJoin(settings.Lanes, models.List()), TimeProvider.System);
        WorkerWelcome welcome;
        try
        {
            welcome = await source.JoinAsync(draining.Token);
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            return ExitStatus.Done;
        }

        settings = settings with { Heartbeat = TimeSpan.FromSeconds(welcome.HeartbeatSeconds) };
        using var loop = new WorkLoop(source, () => models.Served, runner, settings, TimeProvider.System, loggers.CreateLogger<WorkLoop>());
        using var onDrain = draining.Token.Register(loop.Drain);
        // Nothing may be disposed of that the stuck job still uses.
        if (await loop.RunAsync() == WorkerEnd.Stuck)
            Environment.Exit(ExitStatus.Stuck);
        await source.LeaveAsync(CancellationToken.None);
        return ExitStatus.Done;
    }

    private static async Task LoadAsync(ParseResult parsed, ModelLoader loader, LoadedModels models)
    {
        var data = SpotterPaths.DataFolder(parsed.GetValue(Data));
        var named = parsed.GetValue(Models) ?? [];
        var files = named.Length > 0 ? [.. named.Select(m => SpotterPaths.ResolveModel(m, data))] : SpotterPaths.ModelFiles(data);
        await loader.ApplyAsync(files);
    }

    /// <summary>The one who started this worker holds its standard input: a line says drain, its end says that they are gone.</summary>
    private static void ObeyStandardInput(Action drain) => new Thread(() =>
    {
        while (Console.In.ReadLine() is { } line)
        {
            if (line == "drain")
                drain();
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
