using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>Receives the messages of an earlier service for as long as the gateway runs; any number of gateways may.</summary>
internal sealed partial class LegacyReader(LegacyDeployment deployment, LegacyIntake intake, TimeProvider time, ILogger<LegacyReader> log) : BackgroundService
{
    // Each has a picture in memory.
    private const int AtOnce = 4;

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WhileFull = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(3);

    /// <summary>Looks first whether all that the service had is there: nothing of it comes by itself.</summary>
    /// <exception cref="SpotterException">A queue, a bucket or the table is missing, or may not be used.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll((deployment.Settings?.Parts ?? []).Select(part => CheckAsync(part, cancellationToken)));
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (deployment.Settings is not { } settings)
            return;
        try
        {
            while (true)
            {
                try
                {
                    var messages = await deployment.Post.ReceiveAsync(settings.RequestQueue, LongPoll, stoppingToken);
                    var hasRoom = true;
                    await Parallel.ForEachAsync(messages, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken }, async (message, cancel) =>
                    {
                        if (!await intake.TakeAsync(message, cancel))
                            Volatile.Write(ref hasRoom, false);
                    });
                    if (!hasRoom)
                        await Task.Delay(WhileFull, time, stoppingToken);
                }
                catch (SpotterException unreachable)
                {
                    LogFailed(unreachable.Message);
                    await Task.Delay(AfterFault, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end. What was being dealt with comes again, and makes no second job.
        }
    }

    private async Task CheckAsync(LegacyPart part, CancellationToken cancel)
    {
        try
        {
            await deployment.Post.CheckAsync(part, cancel);
        }
        catch (SpotterException unreachable) when (unreachable.Code == ErrorCodes.StoreUnavailable)
        {
            LogUnchecked(part.Name, unreachable.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether '{Name}' is there can't be told: {Detail} It is used all the same")]
    private partial void LogUnchecked(string name, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages can't be received: {Detail} It is tried again")]
    private partial void LogFailed(string detail);
}
