namespace Spotter.Jobs.Inboxes;

/// <summary>Deals with the messages of one box. It knows its protocol; the <see cref="InboxReader"/> takes, limits, retries and records.</summary>
public interface IInboxHandler
{
    /// <summary>
    /// Deals with an entry. It may come again: after an error, and when this process ends before the outcome is recorded. What it
    /// throws is reported, and the entry tried again.
    /// </summary>
    /// <param name="entry">The messages.</param>
    /// <param name="cancel">The time for it is over, or the service ends.</param>
    Task<InboxOutcome> HandleAsync(InboxEntry entry, CancellationToken cancel);

    /// <summary>An entry is given up after its last attempt; whoever sent it should hear of that. What it throws is reported and changes nothing.</summary>
    Task GiveUpAsync(InboxEntry entry, Exception last, CancellationToken cancel);
}

/// <summary>How the messages of a box are dealt with.</summary>
public sealed record InboxSettings
{
    /// <summary>Entries at a time.</summary>
    public int AtOnce { get; init; } = 16;

    /// <summary>Longest time for one of them.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>An entry whose lease was not extended for this long is taken again: whoever had it is gone.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to look for entries that are due, besides when messages come in.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The waits between attempts, give or take a fifth; after the last one an entry is given up.</summary>
    public IReadOnlyList<TimeSpan> Delays { get; init; } =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)];

    /// <summary>So long a message is known to have come, counted from when it came.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(2);
}
