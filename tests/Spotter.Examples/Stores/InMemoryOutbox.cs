using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>The outbox of <see cref="InMemoryJobStore"/>, which fills it in the same call that ends a job.</summary>
internal sealed class InMemoryOutbox(TimeProvider clock) : IOutbox
{
    private readonly Lock gate = new();
    private readonly List<Entry> entries = [];
    private readonly List<Action> wakes = [];
    private long receipts;

    /// <summary>The job has ended: one entry for each of those who want to know.</summary>
    public void Fill(Job job)
    {
        if (job.Notify.Count == 0)
            return;
        List<Action> woken;
        lock (gate)
        {
            entries.AddRange(job.Notify.Select((asked, i) => Entry.Of(job, asked, i)));
            woken = [.. wakes];
        }
        foreach (var wake in woken)
            wake();
    }

    /// <summary>The job is deleted, and its entries with it.</summary>
    public void Forget(JobId job)
    {
        lock (gate)
            entries.RemoveAll(e => e.Sent.Job == job);
    }

    public Task<IReadOnlyList<OutboxEntry>> TakeAsync(
        string channel, int limit, TimeSpan lease, IReadOnlyCollection<string> exceptEndpoints, CancellationToken cancel)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var due = entries.Where(e => e.Status.Channel == channel && e.Status.NextAt <= now && !exceptEndpoints.Contains(e.Sent.Endpoint, StringComparer.Ordinal))
                .OrderBy(e => e.Status.NextAt).Take(limit).ToList();
            return Task.FromResult<IReadOnlyList<OutboxEntry>>([.. due.Select(entry => Put(entry, entry with
            {
                Sent = entry.Sent with { Receipt = $"{++receipts}" },
                Status = entry.Status with { NextAt = now + lease },
            }).Sent)]);
        }
    }

    public Task RecordAsync(OutboxEntry entry, DeliveryOutcome outcome, CancellationToken cancel)
    {
        lock (gate)
        {
            // Only the newest lease counts, and it counts once.
            if (entries.Find(e => e.Sent.Id == entry.Id && e.Sent.Receipt == entry.Receipt) is { } held)
                Put(held, held.After(outcome, clock.GetUtcNow()));
        }
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<DeliveryStatus>> OfAsync(JobId job, CancellationToken cancel)
    {
        lock (gate)
            return Task.FromResult<IReadOnlyList<DeliveryStatus>>([.. entries.Where(e => e.Sent.Job == job).Select(e => e.Status)]);
    }

    public Task<long> PendingAsync(CancellationToken cancel)
    {
        lock (gate)
            return Task.FromResult(entries.LongCount(e => e.Status.State == DeliveryState.Pending));
    }

    public IDisposable WhenFilled(Action wake)
    {
        lock (gate)
            wakes.Add(wake);
        return new Subscription(this, wake);
    }

    private Entry Put(Entry before, Entry now)
    {
        entries[entries.IndexOf(before)] = now;
        return now;
    }

    private sealed record Entry(OutboxEntry Sent, DeliveryStatus Status)
    {
        public static Entry Of(Job job, JobNotification asked, int index)
        {
            var id = OutboxEntry.IdOf(job.Id, job.Redrives, index);
            return new Entry(
                new OutboxEntry(id, job.Id, asked.Target, asked.Secret, asked.Endpoint ?? asked.Target, Attempt: 1, Receipt: ""),
                new DeliveryStatus(id, asked.Channel, asked.Target, DeliveryState.Pending, 0, null, null, NextAt: job.Finished, EndedAt: null));
        }

        public Entry After(DeliveryOutcome outcome, DateTimeOffset now)
        {
            var attempted = Status with { Attempts = Sent.Attempt, NextAt = null, EndedAt = now };
            var status = outcome switch
            {
                DeliveryOutcome.Delivered done => attempted with { State = DeliveryState.Delivered, Status = done.Status, Detail = null },
                DeliveryOutcome.GivenUp given => attempted with { State = DeliveryState.GivenUp, Status = given.Status, Detail = given.Detail },
                DeliveryOutcome.Again again => attempted with { Status = again.Status, Detail = again.Detail, NextAt = now + again.Delay, EndedAt = null },
                _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
            };
            return new Entry(Sent with { Attempt = Sent.Attempt + 1, Receipt = "" }, status);
        }
    }

    private sealed class Subscription(InMemoryOutbox outbox, Action wake) : IDisposable
    {
        public void Dispose()
        {
            lock (outbox.gate)
                outbox.wakes.Remove(wake);
        }
    }
}
