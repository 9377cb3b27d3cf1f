using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>What waited and ran at one moment.</summary>
/// <param name="Counts">The jobs by state and by queue.</param>
/// <param name="Overdue">About how many waiting jobs are older than they should get and could be run by somebody.</param>
/// <param name="Ahead">What a job that comes now waits for: not what nobody can run, nor what is not due for a while.</param>
/// <param name="At">When, as a timestamp of the clock.</param>
public sealed record BacklogReading(StoreCounts Counts, long Overdue, IReadOnlyList<Backlog> Ahead, long At);

/// <summary>
/// Reads the backlog once a second, so that whoever comes is judged from memory: a refusal asks no store, which may be
/// what is slow.
/// </summary>
public sealed class BacklogMeter(IJobStore store, UnservedQueues unserved, DrainRate drain, Estimator estimator, JobSettings settings, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // Older than this a reading says nothing any more: the store does not answer, and will say so itself.
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(15);

    // Nobody sees places in the queue change faster than this.
    private static readonly TimeSpan Recent = TimeSpan.FromMilliseconds(20);

    private readonly long begun = time.GetTimestamp();
    private volatile BacklogReading? latest;
    private volatile RecentReading? recent;
    // What came since the reading, less what workers took of it, at each level of priority.
    private readonly long[] newer = new long[Enum.GetValues<JobPriority>().Length];

    /// <summary>The newest reading; null when there is none, or none that still means something.</summary>
    public BacklogReading? Latest => latest is { } known && time.GetElapsedTime(known.At) < Stale ? known : null;

    /// <summary>The users' jobs that wait, with those that came and went since the reading; null when unknown.</summary>
    public long? Queued => Latest is { } known
        ? Math.Max(0, known.Counts.Jobs.Queued + newer.Sum())
        : null;

    /// <summary>So many jobs of a level of priority were accepted here.</summary>
    public void Accepted(int count, JobPriority priority = JobPriority.Normal) => Interlocked.Add(ref newer[(int)priority], count);

    /// <summary>A worker took a job here.</summary>
    public void Taken(JobPriority priority = JobPriority.Normal) => Interlocked.Decrement(ref newer[(int)priority]);

    /// <summary>
    /// What a job that comes now waits for; null when unknown. An urgent one waits for those that are as urgent, and for a
    /// third as many of the others, which get four of sixteen turns (<see cref="PriorityTurns"/>).
    /// </summary>
    /// <param name="priority">Its level.</param>
    public (IReadOnlyList<Backlog> Waiting, long Newer)? AheadOf(JobPriority priority)
    {
        if (Latest is not { } known)
            return null;
        if (priority != JobPriority.High)
            return (known.Ahead, newer.Sum());
        var since = Interlocked.Read(ref newer[(int)JobPriority.High]);
        var urgent = known.Ahead.Where(b => b.Priority == JobPriority.High).ToList();
        var others = known.Ahead.Where(b => b.Priority != JobPriority.High).ToList();
        var share = Math.Min(1, Math.Max(0, urgent.Sum(b => b.All) + since) / 3.0 / Math.Max(1, others.Sum(b => b.All)));
        return ([.. urgent, .. others.Select(b => b with { Queued = (long)(b.All * share), InternalQueued = 0 })], since);
    }

    /// <summary>Looks now.</summary>
    /// <exception cref="SpotterException">The store does not answer.</exception>
    public async Task<BacklogReading> ReadAsync(CancellationToken cancel)
    {
        long[] before = [.. newer];
        var counts = await store.CountAsync(cancel);
        drain.Read(counts.Jobs.Ended);
        estimator.Read(counts);
        var read = new BacklogReading(counts, OverdueIn(counts), AheadIn(counts), time.GetTimestamp());
        latest = read;
        WasRead(counts);
        // Those are in the counts now.
        for (var level = 0; level < before.Length; level++)
            Interlocked.Add(ref newer[level], -before[level]);
        return read;
    }

    /// <summary>A reading that is hardly older than this moment, and no older than <paramref name="since"/>; many who ask share one.</summary>
    public async Task<StoreCounts> RecentAsync(DateTimeOffset since, CancellationToken cancel)
    {
        if (recent is { } known && time.GetElapsedTime(known.Timestamp) < Recent && known.At > since)
            return known.Counts;
        var (timestamp, at) = (time.GetTimestamp(), time.GetUtcNow());
        var counts = await store.CountAsync(cancel);
        recent = new RecentReading(counts, at, timestamp);
        return counts;
    }

    /// <summary>Told of each reading.</summary>
    public Action<StoreCounts> WasRead { get; init; } = static _ => { };

    /// <summary>Looks once a second until cancelled.</summary>
    public async Task RunAsync(Action<Exception> onError, Action onAnswer, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(cancel);
                onAnswer();
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                if (cancel.IsCancellationRequested)
                    return;
                onError(failed);
            }
            await Task.Delay(Every, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Told by the age of the oldest of each line, taking its jobs to have come evenly. Jobs for a model that nobody has wait
    /// for it as long as it takes; they keep nobody else out. Nor does what nobody ran while this gateway was not there: after
    /// a start, age counts from then.
    /// </summary>
    private long OverdueIn(StoreCounts counts)
    {
        var (now, here) = (time.GetUtcNow(), time.GetElapsedTime(begun));
        double overdue = 0;
        foreach (var line in counts.Backlogs)
        {
            if (line.Oldest is not { } oldest || Shorter(now - oldest, here) is var age && age <= settings.MaxQueueAge || unserved.IsHeldUp(line.Queue))
                continue;
            overdue += Math.Max(1, line.Queued * ((age - settings.MaxQueueAge) / age));
        }
        return (long)overdue;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private List<Backlog> AheadIn(StoreCounts counts) =>
    [
        .. counts.Backlogs.Where(b => b.All > b.Delayed && !unserved.IsHeldUp(b.Queue))
            .Select(b => b with { Queued = Math.Max(0, b.Queued - b.Delayed), InternalQueued = b.InternalQueued - Math.Max(0, b.Delayed - b.Queued) }),
    ];

    private sealed record RecentReading(StoreCounts Counts, DateTimeOffset At, long Timestamp);
}
