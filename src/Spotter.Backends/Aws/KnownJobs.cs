using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>A waiting job that this gateway knows of.</summary>
/// <param name="Id">The job.</param>
/// <param name="Line">Where it waits.</param>
/// <param name="Internal">Spotter's own.</param>
/// <param name="Due">From when on it may be taken.</param>
/// <param name="Created">When it was accepted.</param>
/// <param name="Expires">Not started after.</param>
/// <param name="Receipt">Its message, where it was received and is hidden; it may be taken without another one.</param>
/// <param name="IsDirect">It may be taken as soon as it is due, without a message.</param>
internal sealed record KnownJob(
    JobId Id, SqsLine Line, bool Internal, DateTimeOffset Due, DateTimeOffset Created, DateTimeOffset? Expires, SqsReceipt? Receipt, bool IsDirect)
{
    public static KnownJob Of(JobRow row, SqsReceipt? receipt, bool isDirect) => new(
        row.Job.Id, new(row.Job.Queue, row.Job.Priority), row.Job.Internal, row.Due, row.Job.Created, row.Job.Expires, receipt, isDirect);
}

/// <summary>
/// The waiting jobs that this gateway accepted or gave back itself: what is due when, without asking anybody. It need not be all,
/// nor right: the rows know better.
/// </summary>
internal sealed class KnownJobs
{
    /// <summary>No more are remembered; others are found by their messages.</summary>
    private const int Most = 50_000;

    private readonly Lock gate = new();
    private readonly Dictionary<JobId, KnownJob> jobs = [];
    private readonly Dictionary<SqsLine, SortedSet<(DateTimeOffset Due, DateTimeOffset Created, string Id)>> lines = [];
    private readonly Dictionary<SqsLine, SortedSet<(DateTimeOffset Due, DateTimeOffset Created, string Id)>> direct = [];
    private readonly SortedSet<(DateTimeOffset Expires, string Id)> expiring = [];

    /// <summary>Remembers one, in place of what was known of it.</summary>
    public void Add(KnownJob job)
    {
        lock (gate)
        {
            RemoveLocked(job.Id);
            if (jobs.Count >= Most)
                return;
            jobs[job.Id] = job;
            Put(lines, job);
            if (job.IsDirect)
                Put(direct, job);
            if (job.Expires is { } expires)
                expiring.Add((expires, job.Id.Value));
        }
    }

    /// <summary>Remembers one unless it is known to wait for the same moment.</summary>
    public void AddIfNew(KnownJob job)
    {
        lock (gate)
        {
            if (jobs.TryGetValue(job.Id, out var there) && there.Due == job.Due)
                return;
        }
        Add(job);
    }

    /// <summary>It waits no longer.</summary>
    public void Remove(JobId id)
    {
        lock (gate)
            RemoveLocked(id);
    }

    /// <summary>The job of a line that may be taken without a message and has been due longest; it is forgotten.</summary>
    public KnownJob? TakeDirect(SqsLine line, DateTimeOffset now)
    {
        lock (gate)
        {
            foreach (var (_, _, id) in Due(direct, line, now))
            {
                var job = jobs[JobId.Parse(id)];
                if (job.Expires <= now)
                    continue;
                RemoveLocked(job.Id);
                return job;
            }
            return null;
        }
    }

    /// <summary>The job of a line that has been due longest, and for so long that its message must be lost; it is forgotten.</summary>
    public KnownJob? TakeLost(SqsLine line, DateTimeOffset now, TimeSpan lostAfter)
    {
        lock (gate)
        {
            foreach (var (_, _, id) in Due(lines, line, now - lostAfter))
            {
                var job = jobs[JobId.Parse(id)];
                if (job.Expires <= now)
                    continue;
                RemoveLocked(job.Id);
                return job;
            }
            return null;
        }
    }

    /// <summary>When the next job of these queues becomes due, or its message is taken to be lost; null when none is known.</summary>
    public DateTimeOffset? NextDue(IReadOnlyCollection<string> queues, DateTimeOffset now, TimeSpan lostAfter)
    {
        lock (gate)
        {
            DateTimeOffset? next = null;
            foreach (var (line, waiting) in lines.Where(l => queues.Contains(l.Key.Queue, StringComparer.Ordinal)))
            {
                foreach (var (due, _, _) in waiting.GetViewBetween(After(now), Last).Take(1))
                    next = next < due ? next : due;
                foreach (var (due, _, id) in Due(lines, line, now).Take(1))
                {
                    var lost = due + lostAfter;
                    if (lost > now && !(jobs[JobId.Parse(id)].Expires <= now))
                        next = next < lost ? next : lost;
                }
            }
            return next;
        }
    }

    /// <summary>How many jobs of a line are not due by then; and the users' job among those due now that has been so longest.</summary>
    public (long Delayed, KnownJob? Oldest) Look(SqsLine line, DateTimeOffset now, DateTimeOffset soon)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(line, out var waiting) || waiting.Count == 0)
                return default;
            var delayed = waiting.Reverse().TakeWhile(w => w.Due > soon).Take(Backlog.MostCounted).Count();
            foreach (var (_, _, id) in Due(lines, line, now))
            {
                if (jobs[JobId.Parse(id)] is { Internal: false } oldest)
                    return (delayed, oldest);
            }
            return (delayed, null);
        }
    }

    /// <summary>Those that nobody has started in time.</summary>
    public List<JobId> Expired(DateTimeOffset now, int limit)
    {
        lock (gate)
            return [.. expiring.TakeWhile(e => e.Expires <= now).Take(limit).Select(e => JobId.Parse(e.Id))];
    }

    private static (DateTimeOffset, DateTimeOffset, string) Last => (DateTimeOffset.MaxValue, DateTimeOffset.MaxValue, "~");

    private static (DateTimeOffset, DateTimeOffset, string) After(DateTimeOffset time) => (time, DateTimeOffset.MaxValue, "~");

    private static IEnumerable<(DateTimeOffset Due, DateTimeOffset Created, string Id)> Due(
        Dictionary<SqsLine, SortedSet<(DateTimeOffset Due, DateTimeOffset Created, string Id)>> sets, SqsLine line, DateTimeOffset now) =>
        sets.TryGetValue(line, out var waiting) ? waiting.TakeWhile(w => w.Due <= now) : [];

    private static void Put(Dictionary<SqsLine, SortedSet<(DateTimeOffset Due, DateTimeOffset Created, string Id)>> sets, KnownJob job)
    {
        if (!sets.TryGetValue(job.Line, out var line))
            sets[job.Line] = line = [];
        line.Add((job.Due, job.Created, job.Id.Value));
    }

    private static void Cut(Dictionary<SqsLine, SortedSet<(DateTimeOffset Due, DateTimeOffset Created, string Id)>> sets, KnownJob job)
    {
        if (!sets.TryGetValue(job.Line, out var line))
            return;
        line.Remove((job.Due, job.Created, job.Id.Value));
        if (line.Count == 0)
            sets.Remove(job.Line);
    }

    private void RemoveLocked(JobId id)
    {
        if (!jobs.Remove(id, out var job))
            return;
        Cut(lines, job);
        Cut(direct, job);
        if (job.Expires is { } expires)
            expiring.Remove((expires, id.Value));
    }
}

/// <summary>The leases that this gateway gave or was told of.</summary>
internal sealed class KnownLeases
{
    private readonly Lock gate = new();
    private readonly Dictionary<JobId, KnownLease> leases = [];

    /// <summary>Remembers one until it ends.</summary>
    public void Hold(KnownLease lease)
    {
        lock (gate)
            leases[lease.Lease.Job] = lease;
    }

    /// <summary>It has ended. What was known of it.</summary>
    public KnownLease? Drop(JobId job)
    {
        lock (gate)
            return leases.Remove(job, out var lease) ? lease : null;
    }

    /// <summary>What is known of a job's lease.</summary>
    public KnownLease? Find(JobId job)
    {
        lock (gate)
            return leases.GetValueOrDefault(job);
    }

    /// <summary>The leases of a worker; of all when null.</summary>
    public List<KnownLease> Of(string? worker)
    {
        lock (gate)
            return [.. leases.Values.Where(l => worker is null || l.Lease.Worker == worker)];
    }

    /// <summary>Those that have run out.</summary>
    public List<KnownLease> RunOut(DateTimeOffset now, int limit)
    {
        lock (gate)
            return [.. leases.Values.Where(l => l.Until <= now).Take(limit)];
    }
}

/// <summary>A lease that is known.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Until">When it runs out.</param>
/// <param name="HiddenAt">When its message was last hidden.</param>
internal sealed record KnownLease(Lease Lease, DateTimeOffset Until, DateTimeOffset HiddenAt);
