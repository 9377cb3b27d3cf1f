using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Backends;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Confinement;
using Spotter.Fleets;
using Spotter.Gateway;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Cli.Serve;

/// <summary>The pools of the service: makes them, scales them as soon as workers can join, and lets them go at the end.</summary>
internal sealed partial class PoolService : BackgroundService, IHostedLifecycleService, IAsyncDisposable
{
    // A stop that takes longer says why.
    private static readonly TimeSpan SilentDrain = TimeSpan.FromSeconds(2);

    private readonly ServiceSettings settings;
    private readonly GatewaySettings gateway;
    private readonly ModelCatalogue catalogue;
    private readonly ModelService models;
    private readonly IServer server;
    private readonly string? lent;
    private readonly List<Pool> pools = [];
    private readonly CancellationTokenSource scaled = new();
    private readonly TimeProvider time;
    private readonly ILogger log;
    private HashSet<string> readable = [];
    private readonly TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PoolService(
        ServiceSettings settings, GatewaySettings gateway, Backend backend, JobService jobs, GatewayName name, WorkerRoster roster, ScaleRecords records, ModelCatalogue catalogue,
        ModelService models, IServer server, TimeProvider time, RandomSource random, ILoggerFactory loggers)
    {
        (this.settings, this.gateway, this.catalogue, this.models, this.server) = (settings, gateway, catalogue, models, server);
        lent = backend.Blobs.Files?.LentFolder;
        (this.time, log) = (time, loggers.CreateLogger<PoolService>());
        catalogue.AreTogether = (one, other) => PoolSettings.OfModel(settings.Pools, one) == PoolSettings.OfModel(settings.Pools, other);
        var dependencies = new PoolDependencies(backend, gateway.Jobs.Leases, jobs.Changes, name, roster, records, catalogue, settings.DataFolder, Scratch, time, random, loggers);
        foreach (var pool in settings.Pools)
            pools.Add(new Pool(pool, settings.Pools, dependencies, Command, worker => pools.Any(p => p.Fleet.Has(worker))));
        Pools = new WorkerPools([.. pools.Select(p => new WorkerPool(p.Name, p.Scaling.Max, p.Fleet) { Desired = p.Desired })], roster);
    }

    /// <summary>The pools, for those who show them.</summary>
    public WorkerPools Pools { get; }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (pools.Count > 0)
            Prepare();
        readable = WhatWorkersMayRead();
        models.Changing = now =>
        {
            ReplaceIfBlind();
            pools.ForEach(p => p.TellModels(now));
        };
        foreach (var missing in settings.Pools.SelectMany(p => p.Models).Where(id => !catalogue.Knows(id)))
            StandardError.Complain($"a pool names the model {missing}, which is not there; `spotter models list` shows those that are.");
        foreach (var model in catalogue.Models.Where(m => pools.Count > 0 && !pools.Exists(p => p.HasModel(m.Id))))
            StandardError.Complain($"the model {model.Id} is in no pool, so its jobs wait for workers from elsewhere; name it in a --pool, or add one without models.");
        return base.StartAsync(cancellationToken);
    }

    /// <summary>The gateway listens, so workers that are started now can join.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        listening.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Ends scaling, and lets the workers finish and hand in what they run; those that take longer than that are stopped.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        await scaled.CancelAsync();
        await Task.WhenAny(ExecuteTask ?? Task.CompletedTask);
        var drained = Task.WhenAll(pools.Select(p => p.Fleet.DrainAllAsync(patience)));
        if (patience > SilentDrain && await Task.WhenAny(drained, Task.Delay(SilentDrain, time)) != drained)
            LogWaiting(string.Join(", ", pools.SelectMany(p => p.Fleet.Launched).Order(StringComparer.Ordinal)), (patience - SilentDrain).TotalSeconds);
        await drained;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the workers that are left, whatever the service ended of.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var pool in pools)
            await pool.DisposeAsync();
        scaled.Dispose();
        Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await listening.Task.WaitAsync(stoppingToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(scaled.Token, stoppingToken);
        List<Task> loops = [.. pools.Select(p => p.RunAsync(either.Token))];
        // One that fails is told at once, and not when all have ended.
        await Task.WhenAny(Task.WhenAll(loops), Supervision.FirstErrorAsync(loops));
        await Task.WhenAll(loops.Where(l => l.IsCompleted));
    }

    /// <summary>How to start a worker of a pool. It loads no model that is just being replaced by something that is no good yet.</summary>
    private WorkerCommand Command(Pool pool)
    {
        List<string> arguments =
        [
            .. SelfProgram.Arguments, "worker", "--server", ServiceRunner.Reachable(Address).ToString(), "--child",
            "--lanes", pool.Scaling.Lanes.ToString(CultureInfo.InvariantCulture),
            "--of-workers", settings.Pools.Sum(p => p.Scaling.Max).ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var model in models.Models.Where(m => m.Error is null && pool.HasModel(m.Id)))
            arguments.AddRange(["--model", model.File]);
        var variables = ChildEnvironment.Create(Scratch);
        foreach (var (name, value) in settings.Log.AsVariables().Concat(settings.WorkerVariables))
            variables[name] = value;
        if (settings.Sandbox)
            variables[SandboxRules.Variable] = Rules().ToText();
        return new WorkerCommand(SelfProgram.File, arguments, variables) { Input = [WorkerOrder.HaveToken(gateway.WorkerToken)] };
    }

    /// <summary>Makes the folders that rules name, since what isn't there can't be named in them; says what they can't keep from workers.</summary>
    private void Prepare()
    {
        try
        {
            Directory.CreateDirectory(Scratch);
            Directory.CreateDirectory(Path.Combine(settings.DataFolder, "models"));
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            StandardError.Complain($"the folders of workers can't be made in {settings.DataFolder}: {full.Message}");
        }
        if (!settings.Sandbox)
            LogOpen();
        else if (OperatingSystem.IsLinux() && Sandbox.Missing is { Count: > 0 } missing)
            LogPartly(string.Join("; ", missing));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workers run without a sandbox (worker.sandbox is false): code in a picture or a model could do what this user can")]
    private partial void LogOpen();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sandbox of workers has gaps: {Missing}")]
    private partial void LogPartly(string missing);

    /// <summary>The rules of a worker stand from its start. One that may not read what there is now makes way for others.</summary>
    private void ReplaceIfBlind()
    {
        var now = WhatWorkersMayRead();
        var isMore = !now.IsSubsetOf(readable);
        readable = now;
        if (!isMore)
            return;
        LogReplacing();
        _ = ReplaceAsync();
    }

    private async Task ReplaceAsync()
    {
        try
        {
            await Task.WhenAll(pools.Select(p => p.Fleet.RetireAllAsync(CancellationToken.None)));
        }
        catch (SpotterException failed)
        {
            LogNotReplaced(failed);
        }
    }

    /// <summary>Each file with its state, since a rule for a file is for that one and not for another of its name.</summary>
    private HashSet<string> WhatWorkersMayRead()
    {
        if (!settings.Sandbox || !OperatingSystem.IsLinux() || pools.Count == 0)
            return [];
        return Rules().Read.Select(path => new FileInfo(path) is { Exists: true } file ? string.Create(CultureInfo.InvariantCulture, $"{path} {file.LastWriteTimeUtc.Ticks} {file.Length}") : path)
            .ToHashSet(StringComparer.Ordinal);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The workers are replaced: a model lies where the sandbox of those that run does not let them read")]
    private partial void LogReplacing();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The workers could not be replaced")]
    private partial void LogNotReplaced(Exception failed);

    private SandboxRules Rules() => ChildSandbox.OfWorker(
        models.Models.Where(m => m.Error is null).Select(m => m.File), SpotterPaths.ModelFolders(settings.DataFolder), settings.DataFolder, Scratch, lent, Address.Port);

    /// <summary>Where the workers write what is too large for memory, and what tells of their ends.</summary>
    private string Scratch => Path.Combine(settings.DataFolder, "scratch");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stopping: waits for {Workers} to finish what they run, {Seconds:0} s at most; a second signal (Ctrl-C) ends all at once, and their jobs are run again at the next start")]
    private partial void LogWaiting(string workers, double seconds);

    private Uri Address => new(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
}
