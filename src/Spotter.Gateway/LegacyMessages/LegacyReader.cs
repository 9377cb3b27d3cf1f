using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>Receives the messages of an earlier service for as long as the gateway runs; any number of gateways may.</summary>
internal sealed partial class LegacyReader(LegacyDeployment deployment, LegacyIntake intake, TimeProvider time, ILogger<LegacyReader> log) : BackgroundService
{
    // Each has a picture in memory.
    private const int AtOnce = 4;

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WhileFull = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(3);

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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages can't be received: {Detail} It is tried again")]
    private partial void LogFailed(string detail);
}
