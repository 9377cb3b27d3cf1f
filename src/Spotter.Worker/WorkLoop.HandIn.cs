using System.Diagnostics;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>How outcomes reach the gateway: what ends while a call is under way goes with the next one, and each call brings new jobs.</summary>
public sealed partial class WorkLoop
{
    // Beyond this a job waits here for longer than it would take somebody else to fetch it.
    private const int MostAhead = 16;

    // Of the newest in an average.
    private const double Weight = 0.1;

    // The first ones load what the others find loaded.
    private const int Unmeasured = 20;

    private readonly Lock handing = new();
    private readonly Queue<HandIn> outcomes = new();
    private bool isExchanging;
    private volatile bool isPolling;
    private int runs;
    private double runMs;
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
            // A call that waits for jobs gets whatever comes.
            var most = isPolling || drain.IsDraining || AreLanesTaken() ? 0 : slots.TryClaim(leaving: group.Count);
            var wanted = most == 0 ? null : new WantedJobs(queues().Names, Math.Min(most, WorkerExchange.MostTaken), TimeSpan.Zero);
            var start = Stopwatch.GetTimestamp();
            try
            {
                var exchanged = await source.ExchangeAsync(settings.Name, group.ConvertAll(h => new WorkerFinish(h.Work.Lease, h.Outcome)), wanted, CancellationToken.None);
                Measure(ref exchangeMs, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                Begin(exchanged.Jobs);
                slots.Release(most - exchanged.Jobs.Count);
                for (var i = 0; i < group.Count; i++)
                {
                    // Here, so that the next call knows of it.
                    if (exchanged.Refused[i] is null)
                        Leave(group[i].Work);
                    group[i].Answer.SetResult(exchanged.Refused[i]);
                }
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                slots.Release(most);
                group.ForEach(h => h.Answer.SetException(failed));
            }
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
                bytes += next.Outcome is JobOutcome.Done done ? done.Result.Utf8.Length : 0;
                if (group.Count > 0 && bytes > WorkerExchange.MostResultBytes)
                    break;
                group.Add(outcomes.Dequeue());
            }
            isExchanging = group.Count > 0;
            return group;
        }
    }

    private void Ran(TimeSpan each)
    {
        if (Interlocked.Increment(ref runs) <= Unmeasured)
            return;
        Measure(ref runMs, each.TotalMilliseconds);
        SetSlots();
    }

    /// <summary>As many as are run while the next ones are fetched, so that lanes don't wait for them; one at least.</summary>
    private void SetSlots()
    {
        var each = Volatile.Read(ref runMs);
        var ahead = each == 0 ? 1 : (int)Math.Clamp(Math.Ceiling(Volatile.Read(ref exchangeMs) / each), 1, MostAhead);
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
