using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;

namespace Spotter.Cli.Bridge;

/// <summary>
/// Workers that answer by a queue, which several bridges may read: what is another one's comes again until it has it, or until
/// nobody can wait for it any more. See docs/compat-messages.md.
/// </summary>
/// <param name="settings">Their queues.</param>
/// <param name="form">How they are written to.</param>
/// <param name="post">Reaches the queues.</param>
/// <param name="wait">How long any bridge waits for an answer.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Makes ids.</param>
/// <param name="log">Told of what is dropped.</param>
internal sealed partial class MailWorkers(
    LegacySettings settings, MailForm form, ILegacyPost post, TimeSpan wait, TimeProvider time, RandomSource random, ILogger<MailWorkers> log) : IOldWorkers
{
    private const int IdBytes = 6;
    private const int MostEnded = 10_000;

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(3);

    // Whoever passes a message on and reads again at once is likely to get it again: so it stands back while the others read. One that
    // nobody has wanted by then belongs to no bridge that is there, and holds up nobody any more.
    private static readonly TimeSpan StandBack = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Unwanted = TimeSpan.FromSeconds(10);
    private const int MostTurns = 10;

    // Clocks differ.
    private static readonly TimeSpan Spare = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<OldAnswer>> waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> ended = new(StringComparer.Ordinal);

    public async Task<OldAnswer> AskAsync(string picture, CancellationToken cancel)
    {
        // A number of which nobody makes a rounded one.
        var id = (1 + Convert.ToInt64(random.NextHex(IdBytes), 16)).ToString(CultureInfo.InvariantCulture);
        var answered = new TaskCompletionSource<OldAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[id] = answered;
        try
        {
            await post.SendAsync(settings.RequestQueue, form.Write(id, picture), cancel);
            return await answered.Task.WaitAsync(cancel);
        }
        finally
        {
            // What is forgotten is kept in the queue for a while longer, and dropped then.
            if (ended.Count >= MostEnded)
                ended.Clear();
            ended[id] = true;
            waiting.TryRemove(id, out _);
        }
    }

    /// <summary>Reads answers until <paramref name="cancel"/>.</summary>
    public async Task ReadAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                try
                {
                    var passedOn = false;
                    foreach (var message in await post.ReceiveAsync(settings.ResultQueue!, LongPoll, cancel))
                        passedOn |= await DealAsync(message, cancel);
                    if (passedOn)
                        await Task.Delay(StandBack, time, cancel);
                }
                catch (SpotterException unreachable)
                {
                    LogFailed(unreachable.Message);
                    await Task.Delay(AfterFault, time, cancel);
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The end.
        }
    }

    /// <summary>Deals with a message; true if it was left for another bridge, for which it is there at once.</summary>
    private async Task<bool> DealAsync(LegacyMessage message, CancellationToken cancel)
    {
        var read = form.Read(message.Body);
        if (read is var (id, answer) && waiting.TryGetValue(id, out var answered) && answered.TrySetResult(answer))
        {
            await post.DeleteAsync(settings.ResultQueue!, message, cancel);
        }
        else if (read is var (again, _) && (ended.ContainsKey(again) || waiting.ContainsKey(again)))
        {
            await post.DeleteAsync(settings.ResultQueue!, message, cancel);
            LogAgain(message.Id);
        }
        else if (message.Sent != default && time.GetUtcNow() - message.Sent > wait + Spare)
        {
            await post.DeleteAsync(settings.ResultQueue!, message, cancel);
            LogDropped(message.Id);
        }
        else
        {
            var hasTurns = message.Received <= MostTurns;
            await post.ReturnAsync(settings.ResultQueue!, message, hasTurns ? TimeSpan.Zero : Unwanted, cancel);
            return hasTurns;
        }
        return false;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The result {Id} came once more, or too late; it is dropped")]
    private partial void LogAgain(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The result {Id} is dropped: no bridge has asked for it, or none waits for it any more")]
    private partial void LogDropped(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Results can't be received: {Detail} It is tried again")]
    private partial void LogFailed(string detail);
}
