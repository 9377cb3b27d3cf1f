using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Uploads;

/// <summary>
/// Makes jobs of uploads as the bucket says that they have arrived, where it does. A message is taken off once its uploads are
/// jobs or never will be; whatever passes brings it again. Any number of gateways may do so beside each other, and beside clients that confirm.
/// </summary>
internal sealed partial class UploadEventService(
    DirectUploads uploads, JobService jobs, StoreMonitor stores, TimeProvider time, ILogger<UploadEventService> log, IUploadEvents? events = null) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (events is not null && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                var received = await events.ReceiveAsync(stoppingToken);
                var done = await Task.WhenAll(received.Select(async e => await TryAsync(e, stoppingToken) ? e : null));
                await events.DeleteAsync([.. done.OfType<UploadEvent>()], stoppingToken);
            }
            catch (SpotterException away) when (stores.Note(away))
            {
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
    }

    /// <summary>False when it is to come again.</summary>
    private async Task<bool> TryAsync(UploadEvent message, CancellationToken cancel)
    {
        if (message.IsOdd)
            LogOdd();
        var done = true;
        foreach (var upload in message.Uploads)
            done &= await TryAsync(upload, cancel);
        return done;
    }

    private async Task<bool> TryAsync(UploadId id, CancellationToken cancel)
    {
        try
        {
            // One that is not found is a job already, or its time is over.
            if (await jobs.FindUploadAsync(id, cancel) is { Ticket.Refusal: null } upload)
                await uploads.AcceptAsync(upload, wait: null, charge: static _ => { }, cancel);
            return true;
        }
        catch (SpotterException refusal) when (DirectUploads.IsFinal(refusal.Code))
        {
            LogRefused(id.Value, refusal.Code, refusal.Message);
            return true;
        }
        catch (SpotterException passing)
        {
            if (!stores.Note(passing))
                LogLater(id.Value, passing.Message);
            return false;
        }
#pragma warning disable CA1031 // One message must not stand in the way of all others, nor come again for ever.
        catch (Exception fault) when (fault is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFault(fault, id.Value);
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message in the queue of uploads is none of S3's, and was deleted; let nothing but the bucket send there")]
    private partial void LogOdd();

    [LoggerMessage(Level = LogLevel.Information, Message = "Upload {Upload} was refused ({Code}) and deleted: {Why}")]
    private partial void LogRefused(string upload, string code, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Upload {Upload} is not let in yet: {Why}")]
    private partial void LogLater(string upload, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Upload {Upload} could not be made a job; its client can still confirm it")]
    private partial void LogFault(Exception fault, string upload);
}
