using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>A row of the table, and when a message about it was last sent.</summary>
/// <param name="Row">The row.</param>
/// <param name="SentAt">From when on the last message about it could be received.</param>
internal sealed record Item(Row Row, DateTimeOffset SentAt)
{
    /// <summary>A row about which a message is on its way.</summary>
    public static Item Sent(Row row) => new(row, row.Due);
}

/// <summary>
/// A table of the kind of DynamoDB: rows are put together all or none, and each is replaced only if it is still the one
/// that was read.
/// </summary>
internal sealed class Table
{
    private readonly Lock gate = new();
    private readonly Dictionary<JobId, Item> items = [];
    private readonly Dictionary<string, JobId> keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServedJobs> served = new(StringComparer.Ordinal);
    private long accepted;

    /// <summary>Users' jobs that have ended: a counter in the transaction of each end.</summary>
    public long Ended { get; private set; }

    /// <summary>By queue what workers have done, counted likewise.</summary>
    public IReadOnlyDictionary<string, ServedJobs> Served
    {
        get
        {
            lock (gate)
                return served.ToDictionary();
        }
    }

    /// <summary>The rows as they are at this moment: in a real table a query on an index for each question.</summary>
    public IReadOnlyCollection<Row> Rows => [.. Items.Select(i => i.Row)];

    public IReadOnlyCollection<Item> Items
    {
        get
        {
            lock (gate)
                return [.. items.Values];
        }
    }

    public Item? Find(JobId id)
    {
        lock (gate)
            return items.GetValueOrDefault(id);
    }

    /// <summary>Puts new rows, all or none; those whose key is known are left as they are, and given instead.</summary>
    public IReadOnlyList<AddedJob> Add(IReadOnlyList<NewJob> jobs, Func<NewJob, long, Item> make)
    {
        lock (gate)
        {
            if (jobs.FirstOrDefault(j => Known(j) is null && items.ContainsKey(j.Id)) is { } twice)
                throw new SpotterException(ErrorCodes.Internal, $"There is a job {twice.Id} already.");
            var added = new List<AddedJob>();
            foreach (var job in jobs)
            {
                var known = Known(job);
                if (known is null)
                {
                    items.Add(job.Id, make(job, ++accepted));
                    if (job.IdempotencyKey is { } key)
                        keys.Add(key, job.Id);
                    CountEnd(null, items[job.Id]);
                }
                added.Add(new AddedJob((known ?? items[job.Id]).Row.Job, IsNew: known is null));
            }
            return added;
        }
    }

    /// <summary>False when the row is no longer the one that was read; then nothing is changed.</summary>
    public bool TryReplace(Item read, Item with)
    {
        lock (gate)
        {
            if (!items.TryGetValue(read.Row.Job.Id, out var now) || !ReferenceEquals(now, read))
                return false;
            items[read.Row.Job.Id] = with;
            CountEnd(read, with);
            return true;
        }
    }

    public void Delete(Job job)
    {
        lock (gate)
        {
            items.Remove(job.Id);
            keys.Remove(job.IdempotencyKey ?? "");
        }
    }

    private Item? Known(NewJob job) => job.IdempotencyKey is { } key && keys.TryGetValue(key, out var id) ? items[id] : null;

    private void CountEnd(Item? before, Item after)
    {
        if (before?.Row.Job.State.IsTerminal() != true && after.Row.Job is { Internal: false } job && job.State.IsTerminal())
            Ended++;
        if (before?.Row.Job.State == JobState.Running && after.Row.Job is { State: JobState.Succeeded, Timings: { } timings, Queue: var queue })
            served[queue] = served.GetValueOrDefault(queue) + ServedJobs.One(timings);
    }
}
