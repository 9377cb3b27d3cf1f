using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>The signs of life, and what to do with a job that gives none.</summary>
public sealed partial class WorkLoop
{
    private async Task HeartbeatAsync(CancellationToken cancel)
    {
        // At once: a model may have been loaded since the worker joined.
        for (var isFirst = true; !cancel.IsCancellationRequested; isFirst = false)
        {
            try
            {
                if (!isFirst)
                    await WaitForHeartbeatAsync(cancel);
                var kept = held.Values.Where(w => !w.Lost).ToList();
                var orders = await source.HeartbeatAsync(settings.Name, [.. kept.Select(w => w.Lease with { Progress = w.Progress })], cancel);
                foreach (var work in kept.Where(w => orders.Lost.Contains(w.Job.Id)))
                    work.Lose();
                drain.Obey(orders.Order, orders.Drain);
                await CheckStuckAsync();
                if (orders.OthersAreFree && AreLanesTaken())
                    GiveBackReady(Overtaken);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception refused) when (refused is not OutOfMemoryException)
            {
                // Without signs of life every lease would run out, so nothing may end them.
                LogNoHeartbeat(refused);
            }
        }
    }

    /// <summary>Until the next sign of life is due: at once when there is news of the worker's models, which it carries.</summary>
    private async Task WaitForHeartbeatAsync(CancellationToken cancel)
    {
        using var news = CancellationTokenSource.CreateLinkedTokenSource(cancel, told.Changed);
        try
        {
            await Task.Delay(settings.Heartbeat, time, news.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // Sent with the next heartbeat.
        }
        told = queues();
    }

    // An engine that looks whether it is still wanted stops within this time, and then no worker has to end.
    // Longer than nearly all jobs; what waits behind one that takes longer had better go elsewhere.
    private static readonly TimeSpan LongRun = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Native code can't be interrupted. When a job runs for longer than it may and doesn't stop when it is asked to, it is
    /// handed in as such, everything else is given back, and the process ends.
    /// </summary>
    private async Task CheckStuckAsync()
    {
        foreach (var late in held.Values.Where(w => !w.IsLate && RunsLongerThan(w, LongestRun(w))))
            late.Stop();
        if (!held.Values.Any(IsStuck))
            return;
        Drain();
        foreach (var work in held.Values)
        {
            var outcome = IsStuck(work) ? TimedOut(work, wasStuck: true) : new JobOutcome.Retry(Abandoned, SpendAttempt: false);
            work.Lose();
            await source.FinishAsync(work.Lease, outcome, CancellationToken.None);
        }
        stuck.TrySetResult();
    }

    private bool IsStuck(Work work) => IsDecodingTooLong(work) || RunsLongerThan(work, LongestRun(work) + TimeToStop);

    private bool RunsLongerThan(Work work, TimeSpan limit) => work.RunningSince is { } since && time.GetElapsedTime(since) > limit;

    private TimeSpan LongestRun(Work work) => work.Limits.RunTime ?? settings.JobTimeout;

    private bool IsDecodingTooLong(Work work) => work.RunningSince is not null && work.Lane?.DecodingFor() > settings.DecodeTimeout;

    /// <summary>
    /// A busy machine may be the cause, so it is tried once more; what takes too long the second time would do so again. When the
    /// process had to end, it is tried without neighbours, as often as what kills its worker.
    /// </summary>
    private JobOutcome TimedOut(Work work, bool wasStuck) => !wasStuck && HasTimedOut(work.Job)
        ? new JobOutcome.Reject(WhyStuck(work))
        : new JobOutcome.Retry(WhyStuck(work), SpendAttempt: true) { TakesWorker = wasStuck };

    /// <summary>Whether it has before, since somebody last wanted it tried anew.</summary>
    private static bool HasTimedOut(Job job) =>
        job.History.Reverse().TakeWhile(e => e.Kind != JobEventKind.Redriven).Any(e => e.Error?.Code == ErrorCodes.JobTimeout);

    private JobError WhyStuck(Work work) => IsDecodingTooLong(work)
        ? new(ErrorCodes.DecodeTimeout, $"Decoding the picture took longer than {settings.DecodeTimeout.TotalSeconds:0.#} s.")
        : new(ErrorCodes.JobTimeout, work.Limits.RunTime is { } limit
            ? $"The job ran longer than {limit.TotalSeconds:0} s, the limit of the engine '{work.Job.Engine}'."
            : $"The job ran longer than {settings.JobTimeout.TotalSeconds:0} s, the worker's limit for any job.");
}
