using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>How outcomes reach the gateway: what ends while a call is under way goes with the next one, and each call brings new jobs.</summary>
public sealed partial class WorkLoop
{
    // Per lane. What waits here can't be run by another worker that is free.
    private const int MostAhead = 16;

    // Per lane: the pictures of jobs that wait are in memory.
    private const long MostBytesAhead = 32 << 20;

    // Of the newest value in an average.
    private const double Weight = 0.1;

    // Longer ones are outages, and say nothing of what follows.
    private const double LongestExchangeMs = 1000;

    // The first ones load what the others find loaded.
    private const int Unmeasured = 20;

    private readonly Lock handing = new();
    private readonly Queue<HandIn> outcomes = new();
    private bool isExchanging;
    private bool isPolling;
    private Task bringing = Task.CompletedTask;
    private int runs;
    private double runMs;
    private double inputBytes;
    private double exchangeMs;
    private volatile int heldForBatches;

    /// <summary>Why it does not count; null when it does.</summary>
    private Task<JobError?> HandInAsync(Work work, JobOutcome outcome)
    {
        var mine = new HandIn(work, outcome);
        lock (handing)
        {
            outcomes.Enqueue(mine);
            if (isExchanging)
                return mine.Answer.Task;
            isExchanging = true;
        }
        _ = ExchangeAllAsync();
        return mine.Answer.Task;
    }

    private async Task ExchangeAllAsync()
    {
        while (NextGroup() is { Count: > 0 } group)
        {
            var claimed = 0;
            var brings = Bring();
            try
            {
                claimed = brings is null || drain.IsDraining || AreLanesTaken() ? 0 : slots.TryClaim(leaving: group.Count);
                var wanted = claimed == 0 ? null : new WantedJobs(queues().Names, Math.Min(claimed, WorkerExchange.MostTaken), TimeSpan.Zero);
                var start = time.GetTimestamp();
                var exchanged = await source.ExchangeAsync(settings.Name, group.ConvertAll(h => new WorkerFinish(h.Work.Lease, h.Outcome)), wanted, CancellationToken.None);
                Measure(ref exchangeMs, Math.Min(time.GetElapsedTime(start).TotalMilliseconds, LongestExchangeMs));
                foreach (var started in exchanged.Jobs)
                {
                    Begin(started);
                    claimed--;
                }
                for (var i = 0; i < group.Count; i++)
                {
                    // Here, so that the next call knows of it.
                    if (exchanged.Refused[i] is null)
                        Leave(group[i].Work);
                    group[i].Answer.TrySetResult(exchanged.Refused[i]);
                }
            }
            catch (Exception failed)
            {
                // It may be one of them that can't be sent, or the gateway is away: each is handed in by itself.
                group.ForEach(h => h.Answer.TrySetResult(new JobError(ErrorCodes.StoreUnavailable, failed.Message)));
            }
            finally
            {
                slots.Release(claimed);
                brings?.SetResult();
            }
        }
    }

    /// <summary>Completed once a call has brought what it does; null while another call waits for jobs, and gets whatever comes.</summary>
    private TaskCompletionSource? Bring()
    {
        lock (handing)
        {
            if (isPolling)
                return null;
            var brings = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            bringing = brings.Task;
            return brings;
        }
    }

    /// <summary>From now on a call waits for jobs: no other one takes any, and one that does so already has ended.</summary>
    private Task BeginPolling()
    {
        lock (handing)
        {
            isPolling = true;
            return bringing;
        }
    }

    /// <summary>From now on it is not held, and another one may be.</summary>
    private void Leave(Work work)
    {
        if (!work.TryLeave())
            return;
        // Not one that has come in its place since: the same job under the same lease, after a crash of the store.
        held.TryRemove(new(work.Lease, work));
        slots.Release(1);
    }

    private List<HandIn> NextGroup()
    {
        lock (handing)
        {
            var (group, bytes) = (new List<HandIn>(), 0L);
            while (group.Count < WorkerExchange.MostFinished && outcomes.TryPeek(out var next))
            {
                bytes += next.Outcome switch
                {
                    JobOutcome.Done done => done.Result.Utf8.Length,
                    JobOutcome.Retry retry => retry.Error.Detail.Length,
                    JobOutcome.Reject reject => reject.Error.Detail.Length,
                    _ => 0,
                };
                if (group.Count > 0 && bytes > WorkerExchange.MostResultBytes)
                    break;
                group.Add(outcomes.Dequeue());
            }
            isExchanging = group.Count > 0;
            return group;
        }
    }

    private void Ran(List<Work> together, TimeSpan took)
    {
        if (Interlocked.Increment(ref runs) <= Unmeasured)
            return;
        Measure(ref runMs, took.TotalMilliseconds / together.Count);
        Measure(ref inputBytes, together.Average(work => work.Job.Spec.Inputs.Sum(input => input.Bytes)));
        SetSlots();
    }

    /// <summary>As many as are run while the next ones are fetched, so that lanes don't wait for them; one at least.</summary>
    private void SetSlots()
    {
        var (each, bytes) = (Volatile.Read(ref runMs), Volatile.Read(ref inputBytes));
        var most = bytes == 0 ? MostAhead : Math.Clamp(MostBytesAhead / bytes, 1, MostAhead);
        var ahead = each == 0 ? 1 : (int)Math.Clamp(Math.Ceiling(Volatile.Read(ref exchangeMs) / each), 1, most);
        slots.Most = Math.Max(settings.Lanes * (1 + ahead), heldForBatches);
    }

    private static void Measure(ref double average, double value)
    {
        var before = Volatile.Read(ref average);
        Volatile.Write(ref average, before == 0 ? value : before + (Weight * (value - before)));
    }

    private sealed record HandIn(Work Work, JobOutcome Outcome)
    {
        public TaskCompletionSource<JobError?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
