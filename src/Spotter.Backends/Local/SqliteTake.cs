#if PLANTED_BUGS
using Spotter.Core;
#endif
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>Takes jobs from the index of those that wait.</summary>
internal static class SqliteTake
{
    // Those that nobody started in time are swept every few seconds; a take steps over some of them at most.
    private const int MostExpired = 100;

    /// <summary>What one request got: rows in the order of its workers; and when there were fewer, when the next is due.</summary>
    public readonly record struct Taken(List<JobRow> Rows, long? NextDue)
    {
        public TakenJobs ToAnswer()
        {
            var started = Rows.ConvertAll(row =>
            {
                var job = row.ToJob();
                return new StartedJob(job, new Lease(job.Id, job.Queue, job.FencingToken, job.Attempts, job.Worker!));
            });
            return new TakenJobs(started, NextDue is { } due ? Microseconds.ToTime(due) : null);
        }
    }

    /// <summary>One request after the other, until one gets less than it wants.</summary>
    public static List<Taken> Run(WriteScope scope, IReadOnlyList<TakeRequest> requests, long now)
    {
        var taken = new List<Taken>(requests.Count);
        foreach (var request in requests)
        {
            taken.Add(Run(scope, request, now));
            if (taken[^1].Rows.Count < request.Workers.Count)
                break;
        }
        return taken;
    }

    private static Taken Run(WriteScope scope, TakeRequest request, long now)
    {
        var taken = new List<JobRow>(request.Workers.Count);
        foreach (var level in request.Levels)
        {
            var wanted = request.Workers.Count - taken.Count;
            if (wanted == 0)
                break;
            foreach (var (seq, queue) in Ready(scope, request.Queues, level, wanted, now))
            {
                taken.Add(Start(scope, seq, request.Workers[taken.Count], now, now + Microseconds.From(request.Duration)));
                scope.Moved(new Line(queue.Name, level, queue.Internal), JobState.Queued, JobState.Running);
                scope.Changed(taken[^1].Id);
            }
        }
        return new Taken(taken, taken.Count < request.Workers.Count ? NextDue(scope, request, now) : null);
    }

    /// <summary>Of one level those that have been due longest, over all queues.</summary>
    private static List<(long Seq, (string Name, bool Internal) Queue)> Ready(
        WriteScope scope, IReadOnlyCollection<string> queues, JobPriority level, int wanted, long now)
    {
        var ready = new List<(long Due, long Seq, (string, bool) Queue)>();
        foreach (var queue in queues)
        {
#if PLANTED_BUGS
            var free = PlantedBug.Is("take-without-hiding")
                ? "FROM jobs WHERE state IN (0, 1)"
                : "FROM jobs INDEXED BY jobs_ready WHERE state = 0";
#else
            const string free = "FROM jobs INDEXED BY jobs_ready WHERE state = 0";
#endif
            using var select = scope.Prepare(
                $"SELECT seq, due, expires, internal {free} AND queue = ?1 AND priority = ?2 AND due <= ?3 ORDER BY due, seq LIMIT ?4")
                .Bind(1, queue).Bind(2, (int)level).Bind(3, now).Bind(4, wanted + MostExpired);
            for (var found = 0; found < wanted && select.Step();)
            {
                if (select.LongOrNull(2) <= now)
                    continue;
                ready.Add((select.Long(1), select.Long(0), (queue, select.Bool(3))));
                found++;
            }
        }
        if (queues.Count > 1)
            ready.Sort(static (a, b) => (a.Due, a.Seq).CompareTo((b.Due, b.Seq)));
        return [.. ready.Take(wanted).Select(r => (r.Seq, r.Queue))];
    }

    private static JobRow Start(WriteScope scope, long seq, string worker, long now, long until)
    {
        scope.Prepare("""
            UPDATE OR FAIL jobs SET state = 1, fencing_token = fencing_token + 1, attempts = attempts + 1,
                started = ?2, leased_until = ?3, worker = ?4
            WHERE seq = ?1
            """).Bind(1, seq).Bind(2, now).Bind(3, until).Bind(4, worker).Run();
        // Read by a statement of its own: one that returns what it changes makes a table for that, each time.
        using var select = scope.Prepare($"SELECT {JobRow.Columns} FROM jobs WHERE seq = ?1").Bind(1, seq);
        select.Step();
        return JobRow.Read(select);
    }

    private static long? NextDue(WriteScope scope, TakeRequest request, long now)
    {
        long? next = null;
        foreach (var queue in request.Queues)
        {
            foreach (var level in request.Levels)
            {
                using var select = scope.Prepare("""
                    SELECT due FROM jobs INDEXED BY jobs_ready WHERE state = 0 AND queue = ?1 AND priority = ?2 AND due > ?3 ORDER BY due LIMIT 1
                    """).Bind(1, queue).Bind(2, (int)level).Bind(3, now);
                if (select.Step() && !(select.Long(0) >= next))
                    next = select.Long(0);
            }
        }
        return next;
    }
}
