using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Notices;

/// <summary>
/// Sends what lies in the outbox, at least once: a notice is taken for a while, posted, and what came of it recorded; if
/// this process ends in between, the notice is taken again and goes out with the same id. Receivers don't hold each other
/// back: each has a few deliveries at a time, and what is due for one that is busy or resting is left in the outbox.
/// </summary>
internal sealed partial class NoticeSender(
    INoticeStore notices, IJobStore jobs, NoticeClient client, CallbackGuard guard, ReceiverBreakers breakers,
    NoticeSettings settings, NoticeMeters meters, TimeProvider time, RandomSource random, ILogger<NoticeSender> log) : BackgroundService
{
    private const int Batch = 16;

    // However fast jobs end, the outbox is not asked more often.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);

    // What is on its way when the service ends may still arrive; the rest is sent after the next start.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource cutOff = new();
    private readonly TaskCompletionSource entered = NewSource();
    private TaskCompletionSource woken = NewSource();
    private TaskCompletionSource? drained;
    private int running;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        // Stopped before it has begun, as when the port is in use, it would count as having failed.
        await Task.WhenAny(entered.Task, ExecuteTask ?? Task.CompletedTask);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var hurry = cancellationToken.Register(cutOff.Cancel);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        cutOff.Cancel();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        entered.TrySetResult();
        var following = FollowAsync(stoppingToken);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                Task wake;
                lock (gate)
                    wake = woken.Task;
                await TakeQuietlyAsync(stoppingToken);
                await Task.Delay(Pause, time, stoppingToken);
                await WaitAsync(wake, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end.
        }
        await following;
        await DrainAsync();
    }

    private async Task WaitAsync(Task wake, CancellationToken stopping)
    {
        try
        {
            await wake.WaitAsync(settings.Poll, time, stopping);
        }
        catch (TimeoutException)
        {
            // Something may be due by now.
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await foreach (var _ in jobs.ChangesAsync(stopping))
                    Wake();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (lost is not OutOfMemoryException)
            {
                LogUnfollowed(lost);
            }
            await Task.Delay(AfterFault, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DrainAsync()
    {
        Task empty;
        lock (gate)
        {
            foreach (var line in lines.Values)
                line.Waiting.Clear();
            drained = NewSource();
            if (running == 0)
                drained.SetResult();
            empty = drained.Task;
        }
        await empty.WaitAsync(DrainPatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await cutOff.CancelAsync();
        await empty;
    }

    private async Task TakeQuietlyAsync(CancellationToken stopping)
    {
        try
        {
            await TakeAsync(stopping);
        }
        catch (SpotterException unavailable)
        {
            LogOutboxUnavailable(unavailable);
            await Task.Delay(AfterFault, time, stopping);
        }
    }

    /// <summary>Takes what is due until there is no more, or no room for more.</summary>
    private async Task TakeAsync(CancellationToken stopping)
    {
        while (true)
        {
            int room;
            var except = new HashSet<string>(breakers.Closed(), StringComparer.Ordinal);
            lock (gate)
            {
                room = Math.Min(Batch, settings.AtOnce - running);
                foreach (var (receiver, line) in lines)
                {
                    if (line.Running + line.Waiting.Count >= settings.PerReceiver)
                        except.Add(receiver);
                }
            }
            if (room <= 0)
                return;
            var takenAt = time.GetTimestamp();
            var taken = await notices.TakeAsync(room, settings.Hold, except, stopping);
            lock (gate)
            {
                foreach (var notice in taken)
                {
                    if (!lines.TryGetValue(notice.Receiver, out var line))
                        lines[notice.Receiver] = line = new Line();
                    line.Waiting.Enqueue(new Held(notice, takenAt));
                    Begin(notice.Receiver, line);
                }
            }
            if (taken.Count < room)
                return;
        }
    }

    /// <summary>Begins as many deliveries of a line as may be under way.</summary>
    private void Begin(string receiver, Line line)
    {
        while (line.Running < settings.PerReceiver && running < settings.AtOnce && line.Waiting.TryPeek(out var held))
        {
            // Too late to end before somebody else may take it; whoever does will send it.
            if (time.GetElapsedTime(held.TakenAt) > (settings.Hold - settings.Timeout) / 2)
            {
                line.Waiting.Dequeue();
                continue;
            }
            if (!breakers.TryBegin(receiver))
            {
                // Left to be taken again, unless one is under way that tells whether they can be sent now.
                if (line.Running == 0)
                    line.Waiting.Clear();
                break;
            }
            line.Waiting.Dequeue();
            line.Running++;
            running++;
            _ = Task.Run(() => DeliverAsync(held.Notice, line));
        }
        if (line.Running == 0 && line.Waiting.Count == 0)
            lines.Remove(receiver);
    }

    private async Task DeliverAsync(Notice notice, Line line)
    {
        var begun = time.GetTimestamp();
        NoticeAnswer? answer = null;
        try
        {
            Failpoint.At("notice-taken");
            answer = await SendAsync(notice, cutOff.Token);
            Failpoint.At("notice-posted");
            var outcome = answer.After(notice.Attempt, settings, random);
            Failpoint.At("notice-posted");
            await notices.RecordAsync(notice, outcome, CancellationToken.None);
            Failpoint.At("notice-recorded");
            meters.Ended(outcome, time.GetElapsedTime(begun));
            if (outcome is NoticeOutcome.GivenUp given)
                LogGivenUp(notice.Id, notice.Receiver, given.Detail);
            else if (outcome is NoticeOutcome.Again again)
                LogFailed(notice.Id, notice.Receiver, notice.Attempt, again.Detail, again.Delay.TotalSeconds);
        }
        catch (OperationCanceledException) when (cutOff.IsCancellationRequested)
        {
            // Whether it arrived is unknown, so it is sent again after the next start.
        }
        catch (SpotterException unavailable)
        {
            // Taken again once its time is over.
            LogOutboxUnavailable(unavailable);
        }
        finally
        {
            End(notice.Receiver, line, answer);
        }
    }

    private async Task<NoticeAnswer> SendAsync(Notice notice, CancellationToken cancel)
    {
        byte[] body;
        try
        {
            var job = await jobs.FindAsync(notice.Job, cancel);
            if (job is null)
                return NoticeAnswer.Never("The job has been deleted because of its age.");
            if (!job.State.IsTerminal() || Notice.IdOf(job.Id, job.Redrives) != notice.Id)
                return NoticeAnswer.Never("The job was put into its queue again; another notice tells how it ended then.");
            body = NoticeView.Write(job);
        }
        catch (Exception fault) when (fault is not (SpotterException or OperationCanceledException or OutOfMemoryException))
        {
            LogUnmade(fault, notice.Id);
            return new NoticeAnswer(null, "The notice could not be made; the service's log says why.");
        }

        Uri url;
        try
        {
            // What is allowed may have changed since the job was accepted.
            url = guard.Check(notice.Url);
        }
        catch (SpotterException)
        {
            return NoticeAnswer.Never(CallbackBlockedException.Detail);
        }
        return SecretsOf(notice) is { Count: > 0 } secrets
            ? await client.PostAsync(url, notice.Id, body, secrets, cancel)
            : NoticeAnswer.Never("There is no secret to sign the notice with.");
    }

    private IReadOnlyList<WebhookSecret> SecretsOf(Notice notice)
    {
        if (notice.Secret is null)
            return [.. settings.Secrets.Select(s => s.For(notice.Receiver))];
        return WebhookSecret.TryParse(notice.Secret, out var own) ? own : [];
    }

    private void End(string receiver, Line line, NoticeAnswer? answer)
    {
        if (answer is null || (answer.IsFinal && answer.Status is null))
            breakers.Abandoned(receiver);
        else if (!answer.ReceiverFailed)
            breakers.Answered(receiver);
        else if (breakers.Failed(receiver, answer.RetryAfter) is { } rest)
        {
            meters.Rested();
            LogRests(receiver, rest.TotalSeconds);
        }

        lock (gate)
        {
            line.Running--;
            var wasFull = running-- >= settings.AtOnce;
            if (breakers.IsClosedTo(receiver))
                line.Waiting.Clear();
            Begin(receiver, line);
            if (wasFull)
            {
                foreach (var (other, its) in lines.ToList())
                    Begin(other, its);
            }
            if (running == 0)
                drained?.TrySetResult();
        }
        Wake();
    }

    private void Wake()
    {
        lock (gate)
        {
            woken.TrySetResult();
            woken = NewSource();
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Information, Message = "Notice {Id} to {Receiver} failed in delivery {Attempt}: {Detail} Next in {Seconds:0.#} s")]
    private partial void LogFailed(string id, string receiver, int attempt, string detail, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notice {Id} to {Receiver} is given up: {Detail}")]
    private partial void LogGivenUp(string id, string receiver, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Receiver} keeps failing; it gets no notices for {Seconds:0.#} s")]
    private partial void LogRests(string receiver, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Notice {Id} could not be made")]
    private partial void LogUnmade(Exception fault, string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox can't be used; trying again")]
    private partial void LogOutboxUnavailable(Exception unavailable);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store's changes can't be followed; trying again")]
    private partial void LogUnfollowed(Exception lost);

    /// <summary>What is taken for one receiver.</summary>
    private sealed class Line
    {
        public int Running { get; set; }

        public Queue<Held> Waiting { get; } = new();
    }

    private readonly record struct Held(Notice Notice, long TakenAt);
}
