using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>
/// Deals with one message: makes a job of it, or says why not. It is deleted once one of these is certain, and comes again until then.
/// One that this program fails to deal with is never deleted: its queue keeps it, or moves it to the dead-letter queue.
/// </summary>
internal sealed partial class LegacyIntake(LegacyDeployment deployment, LegacyWorkers workers, JobService jobs, EngineCatalogue engines, ModelCatalogue models, ILogger<LegacyIntake> log)
{
    /// <summary>After so many tries the sender of a message is told that this program can't deal with it, by a mistake of its own.</summary>
    private const int TriesUntilTold = 5;

    // Nobody makes so many at a time; what is forgotten is tried a little longer.
    private const int MostMistaken = 1000;

    private readonly ConcurrentDictionary<string, int> mistakes = new(StringComparer.Ordinal);

    /// <summary>Deals with it.</summary>
    /// <returns>False when nothing can be taken in now.</returns>
    public async Task<bool> TakeAsync(LegacyMessage message, CancellationToken cancel)
    {
        try
        {
            if (await DealAsync(message, cancel))
                await deployment.Post.DeleteAsync(deployment.Settings!.RequestQueue, message, cancel);
            return true;
        }
        catch (SpotterException passing) when (LegacyChannel.IsPassing(passing))
        {
            LogLeft(message.Id, passing.Message);
            return false;
        }
        catch (Exception mistake) when (mistake is not (OperationCanceledException or OutOfMemoryException))
        {
            if (mistakes.Count >= MostMistaken)
                mistakes.Clear();
            var tries = mistakes.AddOrUpdate(message.Id, 1, static (_, earlier) => earlier + 1);
            LogFailed(mistake, message.Id, tries);
            if (tries == TriesUntilTold)
                await TellAsync(message, cancel);
            return true;
        }
    }

    /// <summary>True when the message may be deleted.</summary>
    private async Task<bool> DealAsync(LegacyMessage message, CancellationToken cancel)
    {
        var worker = workers.Current;
        switch (worker.Read(message))
        {
            case LegacyRequest.Dropped dropped:
                if (await deployment.Post.HasDeadLettersAsync(deployment.Settings!.RequestQueue, cancel))
                {
                    LogLeftToDie(message.Id, dropped.Why);
                    return false;
                }
                LogDropped(message.Id, dropped.Why);
                break;
            case LegacyRequest.Refused refused:
                await RefuseAsync(message, refused.Target, 400, refused.Why, cancel);
                break;
            case LegacyRequest.Picture picture:
                try
                {
                    await SubmitAsync(worker, message, picture.Target, cancel);
                }
                catch (SpotterException lasting) when (!LegacyChannel.IsPassing(lasting))
                {
                    await RefuseAsync(message, picture.Target, Problems.Of(lasting.Code, lasting.Message).Status, lasting.Message, cancel);
                }
                break;
        }
        return true;
    }

    private async Task TellAsync(LegacyMessage message, CancellationToken cancel)
    {
        try
        {
            if (workers.Current.Read(message) is LegacyRequest.Picture hopeless)
                await RefuseAsync(message, hopeless.Target, 500, "The picture could not be looked at because of a mistake in the service; its log has more.", cancel);
        }
        catch (Exception untold) when (untold is not (OperationCanceledException or OutOfMemoryException))
        {
            LogFailed(untold, message.Id, TriesUntilTold);
        }
    }

    private async Task RefuseAsync(LegacyMessage message, LegacyTarget target, int status, string why, CancellationToken cancel)
    {
        await workers.Current.RefuseAsync(target, status, why, cancel);
        LogRefused(message.Id, why);
    }

    private async Task SubmitAsync(ILegacyWorker worker, LegacyMessage message, LegacyTarget target, CancellationToken cancel)
    {
        var settings = deployment.Settings!;
        var caller = new JobCaller($"messages:{settings.Service}", "messages", SeesAll: false);
        var key = $"messages:{settings.RequestQueue}:{message.Id}";
        // The picture may be another by now; the job is there from the first time.
        if (await jobs.FindSubmissionAsync(caller, key, 1, cancel) is [_])
            return;
        jobs.Admission.Check();
        var form = FormOf(worker);
        var picture = await worker.OpenAsync(target, cancel)
            ?? throw new SpotterException(ErrorCodes.NotFound, "The picture is not where its message says; put it into the bucket before the message is sent.");
        await using var submission = await jobs.BeginAsync(caller, key, cancel);
        await submission.AddInputAsync(new MemoryStream(picture.Content.ToArray(), writable: false), PictureName.Of(target.Picture), cancel);
        var request = form.Resolve(models.Models, [.. submission.Inputs.Select(i => i.Ref)]);
        try
        {
            await submission.AcceptAsync(
                request with { Notify = [new JobNotification(LegacyChannel.ChannelName, (target with { ETag = picture.Info.ETag }).Write())] }, cancel);
        }
        catch (SpotterException known) when (known.Code == ErrorCodes.IdempotencyMismatch)
        {
            // Another gateway was quicker, with the picture as it was then.
        }
    }

    private JobForm FormOf(ILegacyWorker worker)
    {
        var form = new JobForm(engines);
        form.Set("model", (models.Models.FirstOrDefault(m => worker.Engines.Contains(m.Engine, StringComparer.Ordinal))
            ?? throw new SpotterException(ErrorCodes.NoModel, $"No model is loaded that can do it; load one for the engine {string.Join(" or ", worker.Engines)}.")).Id);
        if (worker.Draws)
            form.Set("annotate", "true");
        return form;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The message {Id} is dropped: {Why}")]
    private partial void LogDropped(string id, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The message {Id} is left for its dead-letter queue: {Why}")]
    private partial void LogLeftToDie(string id, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "The message {Id} is answered with an error: {Why}")]
    private partial void LogRefused(string id, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The message {Id} is left in its queue for now: {Why}")]
    private partial void LogLeft(string id, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The message {Id} could not be dealt with, at try {Try}; it comes again")]
    private partial void LogFailed(Exception mistake, string id, int @try);
}
