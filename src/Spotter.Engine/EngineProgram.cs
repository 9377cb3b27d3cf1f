using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Worker;

namespace Spotter.Engine;

/// <summary>A program that is a worker of engines of its own.</summary>
public static class EngineProgram
{
    private const int Failed = 1;
    private const int Misused = 2;

    // By this a fleet knows that the worker ended itself with a job that did not stop, and has not died.
    private const int Stuck = 3;

    /// <summary>
    /// Joins a gateway and runs jobs until SIGTERM or Ctrl-C, or until the gateway lets it go. The gateway's address and the worker token
    /// come from <c>--server</c> and <c>--token-file</c>, or from the environment; <c>--help</c> lists all.
    /// </summary>
    /// <param name="args">The arguments of the program.</param>
    /// <param name="engines">The engines; their names differ.</param>
    /// <returns>The status to end with.</returns>
    public static async Task<int> RunAsync(string[] args, params IReadOnlyList<IJobEngine> engines)
    {
        EngineSettings settings;
        try
        {
            if (args.Contains("--help", StringComparer.Ordinal) || args.Contains("-h", StringComparer.Ordinal))
            {
                Console.Out.Write(EngineSettings.Help);
                return 0;
            }
            settings = EngineSettings.Read(args, Environment.GetEnvironmentVariable, engines[0].Declaration.Name);
            engines = settings.Config?.Apply(engines) ?? engines;
        }
        catch (SpotterException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return Misused;
        }
        using var drain = new DrainSwitch();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Drain(context, drain));
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Drain(context, drain));
        try
        {
            return await RunAsync(settings, engines, drain);
        }
        catch (SpotterException refused)
        {
            await Console.Error.WriteLineAsync(refused.Message);
            return Failed;
        }
    }

    private static async Task<int> RunAsync(EngineSettings settings, IReadOnlyList<IJobEngine> engines, DrainSwitch drain)
    {
        var introduction = new WorkerJoin(settings.Lanes) { Engines = [.. engines.Select(e => e.Declaration)] };
        var least = settings.Config?.LogLevel ?? LogLevel.Information;
        foreach (var idle in settings.Config?.Idle ?? [])
            await Console.Error.WriteLineAsync($"the configuration has no use for {idle}");
        using var source = new HttpJobSource(
            settings.Server, settings.Token, settings.Name,
            () => introduction with { Order = drain.LatestOrder, IsLeaving = drain.IsForGood }, TimeProvider.System, new LineLog<HttpJobSource>(least), BlobAccess.Links);
        WorkerWelcome welcome;
        try
        {
            welcome = await source.JoinAsync(drain.Draining);
        }
        catch (OperationCanceledException) when (drain.IsDraining)
        {
            return 0;
        }
        if (welcome.Queues is not { } queues)
            throw new SpotterException(ErrorCodes.UnsupportedOption, $"The gateway at {settings.Server} is of a version that takes no engines of workers.");
        await Console.Error.WriteLineAsync($"joined {settings.Server} as {settings.Name} with {string.Join(", ", engines.Select(e => $"{e.Declaration.Name} {e.Declaration.Version}"))}");
        var served = new ServedQueues(queues, CancellationToken.None);
        var worker = new WorkerSettings { Name = settings.Name, Lanes = settings.Lanes, Heartbeat = TimeSpan.FromSeconds(welcome.HeartbeatSeconds) };
        using var loop = new WorkLoop(source, () => served, new EngineRunner(engines, new LineLog<EngineRunner>(least)), worker, TimeProvider.System, new LineLog<WorkLoop>(least), drain);
        var end = await loop.RunAsync();
        // What is stuck runs on until the process ends, so nothing may be taken from it.
        if (end == WorkerEnd.Stuck)
            Environment.Exit(Stuck);
        await source.LeaveAsync(CancellationToken.None);
        return 0;
    }

    /// <summary>The first one finishes what runs; the next one ends the process, as if nobody had asked for any.</summary>
    private static void Drain(PosixSignalContext context, DrainSwitch drain)
    {
        if (drain.IsForGood)
            return;
        context.Cancel = true;
        drain.DrainForGood();
    }

    /// <summary>Lines on standard error.</summary>
    private sealed class LineLog<T>(LogLevel least) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Console.Error.WriteLine(exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}");
        }
    }
}
