using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>How many jobs stand where, at one moment.</summary>
/// <param name="Jobs">The users' jobs by state.</param>
/// <param name="Backlogs">What waits, by queue and priority; those in which nothing ever waited are left out.</param>
public sealed record StoreCounts(JobCounts Jobs, IReadOnlyList<Backlog> Backlogs)
{
    /// <summary>When the oldest waiting job was accepted; null when none waits.</summary>
    public DateTimeOffset? OldestQueued => Backlogs.Min(b => b.Oldest);

    /// <summary>By queue what workers have done since the store was made, whichever gateway they handed it in to. Only ever rises.</summary>
    public IReadOnlyDictionary<string, ServedJobs> Served { get; init; } = new Dictionary<string, ServedJobs>(StringComparer.Ordinal);
}

/// <summary>Jobs that succeeded on a worker: sums, so that those of several queues add up, and two readings have a difference.</summary>
/// <param name="Jobs">How many.</param>
/// <param name="Seconds">The sum of the times for which each kept a lane busy (<see cref="JobTimings.BusyMs"/>).</param>
/// <param name="SquareSeconds">The sum of the squares of these times.</param>
public readonly record struct ServedJobs(long Jobs, double Seconds, double SquareSeconds)
{
    private const double MostSeconds = 7 * 24 * 3600;

    /// <summary>One job. What a worker says is kept within bounds, as it is added up with that of all others.</summary>
    public static ServedJobs One(JobTimings timings) => One(Math.Clamp(timings.BusyMs / 1000, 0, MostSeconds));

    /// <summary>One job that took so many seconds.</summary>
    public static ServedJobs One(double seconds) => new(1, seconds, seconds * seconds);

    /// <summary>Both together.</summary>
    public static ServedJobs operator +(ServedJobs a, ServedJobs b) =>
        new(a.Jobs + b.Jobs, a.Seconds + b.Seconds, a.SquareSeconds + b.SquareSeconds);

    /// <summary>What came since an earlier reading. The sums are never exact, but the difference is never less than nothing.</summary>
    public static ServedJobs operator -(ServedJobs now, ServedJobs earlier) => now.Jobs <= earlier.Jobs ? default
        : new(now.Jobs - earlier.Jobs, Math.Max(0, now.Seconds - earlier.Seconds), Math.Max(0, now.SquareSeconds - earlier.SquareSeconds));

    /// <summary>What a job took, in seconds; 0 when there is none.</summary>
    public double Mean => Jobs > 0 ? Seconds / Jobs : 0;

    /// <summary>A moving average of times that these jobs come to, each with this weight.</summary>
    public double Move(double average, double weight) => Mean + ((average - Mean) * Math.Pow(1 - weight, Jobs));
}

/// <summary>How many of the users' jobs stand where; Spotter's own (<see cref="NewJob.Internal"/>) are counted apart.</summary>
/// <param name="Queued">Waiting, also for a later attempt.</param>
/// <param name="Running">Under a lease.</param>
/// <param name="Succeeded">With a result.</param>
/// <param name="Failed">Refused while running.</param>
/// <param name="Dead">Out of attempts.</param>
/// <param name="Cancelled">Withdrawn.</param>
public sealed record JobCounts(long Queued, long Running, long Succeeded, long Failed, long Dead, long Cancelled)
{
    /// <summary>Jobs that have ended since the store was made, those included that were deleted since. Only ever rises.</summary>
    public long Ended { get; init; }

    /// <summary>Spotter's own jobs that wait: work for workers like any other.</summary>
    public long InternalQueued { get; init; }

    /// <summary>Spotter's own jobs under a lease.</summary>
    public long InternalRunning { get; init; }
}

/// <summary>What waits in one queue at one level of priority.</summary>
/// <param name="Queue">The queue (<see cref="QueueNames"/>).</param>
/// <param name="Priority">The level.</param>
/// <param name="Queued">The users' jobs that wait.</param>
/// <param name="InternalQueued">Spotter's own jobs that wait.</param>
public sealed record Backlog(string Queue, JobPriority Priority, long Queued, long InternalQueued)
{
    /// <summary>No more waiting jobs are counted one by one than this, where only that tells.</summary>
    public const int MostCounted = 10_000;

    /// <summary>Those of this line that run, internal ones included.</summary>
    public long Running { get; init; }

    /// <summary>Those of all that wait which are not due for a while (a delay, a retry); <see cref="MostCounted"/> when there are more.</summary>
    public long Delayed { get; init; }

    /// <summary>A job is not due for a while when it is not due within this time.</summary>
    public static TimeSpan Soon { get; } = TimeSpan.FromSeconds(2);

    /// <summary>How many have left this line (taken, cancelled, expired), ever. Together with <see cref="Job.Ticket"/> it tells a job's place; null where the store does not count it.</summary>
    public long? Left { get; init; }

    /// <summary>When the user's job that has been due longest was accepted; null when none is due.</summary>
    public DateTimeOffset? Oldest { get; init; }

    /// <summary>All that wait.</summary>
    public long All => Queued + InternalQueued;
}
