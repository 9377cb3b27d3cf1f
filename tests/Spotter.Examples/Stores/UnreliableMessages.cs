using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Examples.Stores;

/// <summary>
/// A message service of the kind of SQS that carries ids: in any order, at least once, and worse than any real one, since
/// it loses and doubles messages on purpose. Of two messages about the same job it loses at most one.
/// </summary>
internal sealed class UnreliableMessages(RandomSource random, TimeProvider clock)
{
    /// <summary>No message can be sent for later than this.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(15);

    private const double Lost = 0.15;
    private const double Doubled = 0.15;
    private const double Undeleted = 0.1;

    private readonly Lock gate = new();
    private readonly List<Message> messages = [];
    private readonly HashSet<JobId> lostLast = [];
    private long receipts;

    /// <summary>All that was ever sent, lost messages included.</summary>
    public List<(JobId Job, DateTimeOffset At)> Sent { get; } = [];

    public void Send(string queue, JobId job, TimeSpan delay)
    {
        lock (gate)
        {
            Sent.Add((job, clock.GetUtcNow()));
            if (random.NextDouble() < Lost && lostLast.Add(job))
                return;
            lostLast.Remove(job);
            for (var i = random.NextDouble() < Doubled ? 2 : 1; i > 0; i--)
                messages.Add(new Message(queue, job) { VisibleAt = clock.GetUtcNow() + Capped(delay) });
        }
    }

    /// <summary>Some messages that are visible, which then are hidden for a while.</summary>
    public IReadOnlyList<(JobId Job, string Receipt)> Receive(string queue, int most, TimeSpan hidden)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var some = messages.Where(m => m.Queue == queue && m.VisibleAt <= now).OrderBy(_ => random.NextDouble()).Take(most).ToList();
            foreach (var message in some)
            {
                message.VisibleAt = now + hidden;
                message.Receipt = $"receipt {++receipts}";
            }
            return [.. some.Select(m => (m.Job, m.Receipt!))];
        }
    }

    /// <summary>Hides a message for so long from now; nothing happens when it was received again since.</summary>
    public void Hide(string receipt, TimeSpan time)
    {
        lock (gate)
        {
            if (messages.Find(m => m.Receipt == receipt) is { } message)
                message.VisibleAt = clock.GetUtcNow() + Capped(time);
        }
    }

    /// <summary>Deletes a message, most of the time.</summary>
    public void Delete(string receipt)
    {
        lock (gate)
        {
            if (random.NextDouble() >= Undeleted)
                messages.RemoveAll(m => m.Receipt == receipt);
        }
    }

    private static TimeSpan Capped(TimeSpan delay) =>
        delay < TimeSpan.Zero ? TimeSpan.Zero : delay > LongestDelay ? LongestDelay : delay;

    private sealed class Message(string queue, JobId job)
    {
        public string Queue => queue;

        public JobId Job => job;

        public DateTimeOffset VisibleAt { get; set; }

        public string? Receipt { get; set; }
    }
}
